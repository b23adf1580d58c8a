using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>An incident waits for one of another runbook that covers it.</summary>
public sealed class WaitingForOtherTests
{
    private static readonly Incident s_other = Some.Incident("261123-0312-other000") with { Title = "Node is down" };

    [Fact]
    public void Waits_SaysForWhatAndUntilWhenOnce()
    {
        var waiting = Some.Incident().WaitFor(s_other, At(60), "other-ended", At(1));

        waiting.SuppressedBy.ShouldBe(new(s_other.Id, s_other.RunbookId, s_other.Target, At(1), At(60)));
        (waiting.IsWaitingForOther, waiting.WakeEvent, waiting.Reason).ShouldBe((true, "other-ended", waiting.Timeline[^1].What));
        (waiting.Timeline[^1].Who, waiting.Timeline[^1].What).ShouldBe((
            "runbook", $"Incident {s_other.Id} of 'Node is down' on {s_other.Target} covers this one and is open. This one asks nobody until that has ended, at the latest at 04:12:00 UTC."));

        var again = waiting.WaitFor(s_other, At(90), "next-event", At(2));
        (again.SuppressedBy, again.WakeEvent, again.Timeline.Count).ShouldBe((waiting.SuppressedBy, "next-event", waiting.Timeline.Count));
        waiting.WaitFor(s_other with { Id = "261123-0312-third000" }, At(90), "next-event", At(2)).SuppressedBy!.Incident.ShouldBe("261123-0312-third000");
        waiting.StopWaiting("It has ended.", At(3)).WaitFor(s_other, At(90), "next-event", At(4)).SuppressedBy!.Since.ShouldBe(At(4));
    }

    [Fact]
    public void WaitsNoMore_SaysWhyOnce()
    {
        var waiting = Some.Incident().WaitFor(s_other, At(60), "other-ended", At(1));

        var over = waiting.StopWaiting("The other has ended.", At(3));

        (over.IsWaitingForOther, over.SuppressedBy!.Over, over.Reason, over.Timeline[^1].Who, over.Timeline[^1].What).ShouldBe((false, At(3), null, "runbook", "The other has ended."));
        over.StopWaiting("Again.", At(4)).ShouldBeSameAs(over);
        Some.Incident().StopWaiting("Again.", At(4)).Timeline.Count.ShouldBe(Some.Incident().Timeline.Count);
        var ended = waiting with { State = IncidentState.Cancelled };
        ended.StopWaiting("Again.", At(4)).ShouldBeSameAs(ended);
        ended.IsWaitingForOther.ShouldBeFalse();
    }

    [Fact]
    public void ThoseThatWait_AreListedOnceAndUpToABound()
    {
        var full = Enumerable.Range(0, Incident.MaxSuppresses).Aggregate(s_other, (incident, n) => incident.Suppress($"i-{n}"));

        full.Suppresses.Count.ShouldBe(Incident.MaxSuppresses);
        full.Suppress("one-more").ShouldBeSameAs(full);
        var one = s_other.Suppress("i-1");
        one.Suppress("i-1").ShouldBeSameAs(one);
        one.Suppresses.ShouldBe(["i-1"]);
    }

    /// <summary>What its own checks call healthy explains no other trouble.</summary>
    [Theory]
    [InlineData(IncidentState.Diagnosing, false, false, true)]
    [InlineData(IncidentState.Diagnosing, true, false, false)]
    [InlineData(IncidentState.Verifying, true, false, true)]
    [InlineData(IncidentState.Resolved, false, true, false)]
    [InlineData(IncidentState.TakenOver, false, true, true)]
    [InlineData(IncidentState.TakenOver, false, false, false)]
    public void Covers_UntilItEndsOrIsClosedByWhoeverTookItOver(IncidentState state, bool healthy, bool settles, bool covers) =>
        (s_other with { State = state, IsFoundHealthy = healthy, SettlesAt = settles ? At(60) : null }).Covers.ShouldBe(covers);

    private static DateTimeOffset At(int minutes) => Some.Time.AddMinutes(minutes);
}
