using System.Net;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Web.Tests.Decisions;

/// <content>A link that is opened too late, and a question that is asked again.</content>
public sealed partial class DecidePageTests
{
    /// <summary>Whoever wakes up too late opens the link of the question.</summary>
    [Fact]
    public async Task LateReaderOfWhatNeedsAPerson_SeesWhatToDoNow()
    {
        await _host.Store.UpdateAsync(_incident.Id, i => (i.CloseGate("mitigation-1", GateOutcome.Expired, "Nobody answered in time.", Some.Time).End(IncidentState.Expired, "Nobody answered in time. Nothing was done.", Some.Time), true), Ct);

        WebUtility.HtmlDecode(await _host.Browser.GetStringAsync(_link, Ct)).ShouldContain("Look at what was found, then fix it by hand and close the incident, or try it again.");
    }

    /// <summary>Whoever is asked about the resolution is not told that users fail who were helped.</summary>
    [Fact]
    public async Task QuestionAfterAVerifiedFix_TellsTheImpactAsItWas()
    {
        (await _host.Browser.GetStringAsync(_link, Ct)).ShouldNotContain("impact, before the fix");

        await _host.Store.UpdateAsync(_incident.Id, i => (Fixed(i), true), Ct);

        (await _host.Browser.GetStringAsync(_link, Ct)).ShouldContain("impact, before the fix");
    }

    internal static Incident Fixed(Incident incident) => Some.Fixed(incident) with { State = incident.State, Verification = [Some.Finding(verdict: Verdict.Passing)] };

    /// <summary>Nobody has to have approved before, and the page says of a yes that was not taken what the message says.</summary>
    [Fact]
    public async Task QuestionThatIsAskedAgain_SaysWhy()
    {
        await _host.Store.UpdateAsync(_incident.Id, i => (i.Replace(i.OpenGate! with { Difference = "The checks no longer call for it.", BlockedAt = Some.Time, AskedAt = Some.Time.AddMinutes(1) }), true), Ct);

        foreach (var address in new[] { _link, $"/incidents/{_incident.Id}" })
        {
            var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync(address, Ct));
            page.ShouldContain("Why it is asked now");
            page.ShouldContain("The checks no longer call for it.");
            page.ShouldContain("Nothing could run for a time; now something can.");
        }

        await _host.Store.UpdateAsync(_incident.Id, i => (i.CloseGate("mitigation-1", GateOutcome.Expired, "Nobody answered in time.", Some.Time), true), Ct);
        var closed = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync(_link, Ct));
        closed.ShouldContain("Why it was asked");
        closed.ShouldNotContain("Why it is asked now");
    }
}
