using System.Net;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Web.Tests.Pages;

public sealed class StateBadgeTests
{
    /// <summary>A green tick says that all is well; that a window kept it from running does not.</summary>
    [Theory]
    [InlineData("/")]
    [InlineData("/incidents/261123-0312-k7m2p9wd")]
    public async Task IncidentThatAWindowHeldBack_IsNotShownAsWell(string address)
    {
        await using var host = new WebHost();
        await host.InitializeAsync();
        await host.OpenAsync(Some.Waiting().CloseGate("mitigation-1", GateOutcome.DiagnosedOnly, "A window.", Some.Time).End(IncidentState.NotNeeded, "A window.", Some.Time));

        var page = WebUtility.HtmlDecode(await host.Browser.GetStringAsync(address, TestContext.Current.CancellationToken));

        page.ShouldContain("<span class=\"badge calm\"><span aria-hidden=\"true\">–</span> Held back, nothing changed</span>");
    }
}
