using System.Net;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;

namespace Runbooks.Web.Tests.Decisions;

/// <content>What is said when a record or the page cannot be had.</content>
public sealed partial class DecidePageTests
{
    [Fact]
    public async Task StoreThatIsAway_IsToldInWordsAndNothingIsSaidThatIsNotKnown()
    {
        _host.Store.Fault = () => new StoreUnavailableException("disk full");

        var answer = await PostAsync("approve");

        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain("<p>The records cannot be reached at the moment. It is not known whether this was recorded: open the page again");
        (await (await _host.Browser.GetAsync(_link, Ct)).Content.ReadAsStringAsync(Ct)).ShouldContain("<p>The records cannot be reached at the moment. Try again in a few seconds.");
    }

    [Fact]
    public async Task PageThatCannotBeShownAfterTheDecision_StillSaysWhatWasDecided()
    {
        var lost = Some.Waiting("261123-0312-lost0000") with { Target = "lost", RunbookHash = "lost" };
        await _host.OpenAsync(lost);
        _link = $"/decide?token={_host.Token(lost)}";

        var answer = await PostAsync("reject");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain("You rejected this at 03:12:00 UTC.");
        _host.Store.All.Single(incident => incident.Id == lost.Id).LatestGate!.Outcome.ShouldBe(GateOutcome.Rejected);
    }
}
