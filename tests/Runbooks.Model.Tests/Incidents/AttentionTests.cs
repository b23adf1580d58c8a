using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

public sealed class AttentionTests
{
    private static readonly DateTimeOffset s_later = Some.Time.AddMinutes(5);

    [Theory]
    [InlineData(IncidentState.Failed, true)]
    [InlineData(IncidentState.Expired, true)]
    [InlineData(IncidentState.Resolved, false)]
    [InlineData(IncidentState.NotNeeded, false)]
    [InlineData(IncidentState.SelfRecovered, false)]
    [InlineData(IncidentState.Rejected, false)]
    [InlineData(IncidentState.TakenOver, false)]
    [InlineData(IncidentState.Cancelled, false)]
    public void End_NeedsAPersonWhenNobodyHasDecidedIt(IncidentState state, bool needed)
    {
        var ended = Ended(state);

        ended.NeedsPerson.ShouldBe(needed);
        ended.Attention.ShouldBe(needed ? new Attention(Some.Time, "So it ended. Nothing was done.") : null);
        ended.IsLeftToPeople.ShouldBe(needed || state == IncidentState.TakenOver);
    }

    [Fact]
    public void Acknowledged_NeedsNobodyAndSaysWhoSeesToIt()
    {
        var seen = Ended(IncidentState.Expired).Acknowledge("ada", "I look at the node", s_later);

        seen.NeedsPerson.ShouldBeFalse();
        seen.Attention.ShouldBe(new Attention(Some.Time, "So it ended. Nothing was done.") { AcknowledgedBy = "ada", AcknowledgedAt = s_later, Note = "I look at the node" });
        seen.Timeline[^1].ShouldSatisfyAllConditions(line => line.Who.ShouldBe("ada"), line => line.What.ShouldBe("ada acknowledged it: I look at the node"));
        seen.Acknowledge("ben", null, s_later).ShouldBeSameAs(seen);
    }

    [Fact]
    public void OpenIncident_CannotBeAcknowledged()
    {
        var waiting = Some.Waiting();

        waiting.Acknowledge("ada", null, s_later).ShouldBeSameAs(waiting);
    }

    [Fact]
    public void FailureThatIsClosedByHand_NeedsNobodyAndIsNoNo()
    {
        var closed = Ended(IncidentState.Failed).CloseByHand("ada", "restarted the node", s_later);

        closed.NeedsPerson.ShouldBeFalse();
        closed.CanBeClosedByHand().ShouldBeFalse();
        closed.SaidNo().ShouldBeNull("whether it is over is for the checks to say when it fires on");
        closed.Remembers(Some.Alert(), s_later).ShouldBeFalse();
    }

    [Fact]
    public void Acknowledged_AsksAgainWhenItFiresOn()
    {
        var seen = Ended(IncidentState.Failed).Acknowledge("ada", null, s_later);

        seen.Remembers(Some.Alert(), s_later).ShouldBeFalse();
        seen.CanBeClosedByHand().ShouldBeTrue();
    }

    [Fact]
    public void TriedAgain_NeedsNobodyAndNamesTheNextIncident()
    {
        var retried = Ended(IncidentState.Failed).NoteRetried("261123-0400-next0000", "ada", "the node is back", s_later);

        retried.NeedsPerson.ShouldBeFalse();
        retried.Timeline[^1].What.ShouldBe("ada had it tried again as incident 261123-0400-next0000: the node is back");
    }

    private static Incident Ended(IncidentState state) => Some.Waiting().End(state, "So it ended.", [], null, TimeSpan.Zero, Some.Time);
}
