using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit.Storage;

namespace Runbooks.Web.Tests.Decisions;

/// <content>What is said when a record or the page cannot be had.</content>
public sealed partial class StormPageTests
{
    [Fact]
    public async Task RecordThatCannotBeReachedForOneTarget_IsSaidAndPressingAgainCountsNothingTwice()
    {
        var calls = int.MaxValue;
        WebHost? flaky = null;
        flaky = new WebHost
        {
            Configure = services => services.AddSingleton<IIncidentStore>(_ => new FlakyIncidentStore(
                flaky!.Store, () => Interlocked.Decrement(ref calls) == 0 ? FlakyIncidentStore.Fault.After : FlakyIncidentStore.Fault.None)),
        };
        await using var host = await OpenAsync(flaky, Count);
        _link = LinkOf(host, "oncall");
        var tickets = await TicketsAsync(host);
        Volatile.Write(ref calls, 25);

        (await TextAsync(host, tickets)).ShouldContain(
            $"You approved {Count - 1} of {Count} targets. For 1 target it is not known whether your answer was recorded, because something went wrong here. Press again for what is still asked; each answer counts once.");
        host.Store.All.Count(incident => incident.LatestGate!.Outcome == GateOutcome.Approved).ShouldBeGreaterThanOrEqualTo(Count - 1);

        (await TextAsync(host, tickets)).ShouldContain($"You approved {Count} targets.");
        host.Store.All.ShouldAllBe(incident => incident.LatestGate!.Decisions.Count == 1);
    }

    [Fact]
    public async Task RecordsThatCannotBeReachedAtAll_AreNotSaidToHoldNoAnswer()
    {
        var isAway = false;
        WebHost? flaky = null;
        flaky = new WebHost
        {
            Configure = services => services.AddSingleton<IIncidentStore>(_ => new FlakyIncidentStore(flaky!.Store, () => Volatile.Read(ref isAway) ? FlakyIncidentStore.Fault.Before : FlakyIncidentStore.Fault.None)),
        };
        await using var host = await OpenAsync(flaky, Count);
        _link = LinkOf(host, "oncall");
        var tickets = await TicketsAsync(host);
        Volatile.Write(ref isAway, true);

        var said = await TextAsync(host, tickets);

        said.ShouldContain($"For {Count} targets it is not known whether your answer was recorded");
        said.ShouldNotContain("You approved");
    }

    [Fact]
    public async Task PageThatCannotBeReadAfterTheDecisions_StillSaysWhatWasRecorded()
    {
        var tickets = await TicketsAsync();
        _host.Store.BeforeListing = _ => throw new StoreUnavailableException("throttled");

        var answer = await PostAsync("approve", tickets);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain($"You approved {Count} targets.");
        _host.Store.All.ShouldAllBe(incident => incident.LatestGate!.Outcome == GateOutcome.Approved);
    }
}
