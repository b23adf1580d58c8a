using System.Net;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Web.Tests.Decisions;

/// <content>What the page says where one yes is not enough, and where silence means different things.</content>
public sealed partial class StormPageTests
{
    [Fact]
    public async Task FirstOfTwoApprovers_IsToldThatTheTargetsWaitForMore()
    {
        await ChangeAsync(gate => gate with { Required = 2 });
        (await PageAsync()).ShouldContain("2 different people have to approve.");
        (await PageAsync()).ShouldContain("<span>your yes counts for each that is ticked; others have to approve too</span>");

        var answer = await PostAsync("approve", await TicketsAsync());

        WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(Ct)).ShouldContain($"You approved {Count} targets; they wait for more people to approve.");
        _host.Store.All.ShouldAllBe(incident => incident.OpenGate != null);
    }

    /// <summary>The others run at the first yes.</summary>
    [Fact]
    public async Task TwoApproversForSomeOfThem_IsSaidBesideThoseAndNotOverAll()
    {
        var some = 0;
        await ChangeAsync(gate => some++ < 2 ? gate with { Required = 2 } : gate);

        var page = await PageAsync();

        page.ShouldNotContain("<p>2 different people have to approve.</p>");
        page.Split("<p class=\"found mind\">2 different people have to approve.</p>").Length.ShouldBe(3);
    }

    [Fact]
    public async Task NoThatIsRememberedForSomeOfThem_IsSaidBesideThose()
    {
        var some = 0;
        foreach (var incident in _host.Store.All.ToList())
        {
            await _host.Store.UpdateAsync(
                incident.Id,
                current => (some++ == 0 ? current with { Alert = current.Alert with { Source = "manual" } } : current, true),
                Ct);
        }

        var page = await PageAsync();

        page.Split("<p class=\"found\">A no is remembered").Length.ShouldBe(Count);
        page.ShouldNotContain("Opening this page decided nothing. A no is remembered");
    }

    [Fact]
    public async Task SilenceThatMeansTwoThings_IsSaidOfEach()
    {
        var some = 0;
        await ChangeAsync(gate => some++ % 3 == 0 ? gate with { OnTimeout = OnTimeout.Escalate } : gate);

        var page = await PageAsync();

        page.ShouldContain("20 targets: At 03:32:00 UTC nothing is done and the incident is closed as expired.");
        page.ShouldContain("10 targets: At 03:32:00 UTC fallback is asked, and has as much time again.");
    }

    [Fact]
    public async Task PlanThatChangedSinceItWasApproved_IsSaidBesideItsTarget()
    {
        var some = 0;
        await ChangeAsync(gate => some++ == 0 ? gate with { Difference = "It deletes 3 pods and not 2." } : gate);

        (await PageAsync()).ShouldContain("Why it is asked now: It deletes 3 pods and not 2.");
    }

    private async Task ChangeAsync(Func<Gate, Gate> change)
    {
        foreach (var incident in _host.Store.All.ToList())
        {
            await _host.Store.UpdateAsync(incident.Id, current => (current.Replace(change(current.OpenGate!)), true), Ct);
        }
    }

    [Fact]
    public async Task ApprovalThatAnothersNoHasOvertaken_IsNotSaidToCount()
    {
        var tickets = await TicketsAsync();
        await _host.Store.UpdateAsync(_host.Store.All[0].Id, i => (i.Replace(i.OpenGate! with { Required = 2 }), true), Ct);
        await PostAsync("approve", tickets);
        await _host.Browser.PostAsync($"/decide?token={_host.Token(_host.Store.All[0], "linus")}", WebHost.Form("reject"), Ct);

        (await (await PostAsync("approve", tickets)).Content.ReadAsStringAsync(Ct)).ShouldContain($"You approved {Count - 1} of {Count} targets. Not counted for 1: linus rejected this at 03:12:00 UTC.");
    }
}
