using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Once final it stays so, and what is still open is closed with it.</summary>
public sealed class IncidentEndTests
{
    private static readonly TimeSpan s_settle = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData(IncidentState.Resolved, RunMode.Normal, 5, 5.0, "settle-1")]
    [InlineData(IncidentState.Resolved, RunMode.DryRun, 5, null, null)]
    [InlineData(IncidentState.Resolved, RunMode.Normal, 0, null, null)]
    [InlineData(IncidentState.Failed, RunMode.Normal, 5, null, null)]
    [InlineData(IncidentState.TakenOver, RunMode.Normal, 5, 240.0, null)]
    public void End_KeepsTakingAlertsOnlyWhereItSettlesOrIsOwned(IncidentState state, RunMode mode, int settle, double? settlesAt, string? wake)
    {
        var ended = (Some.Waiting() with { Mode = mode }).End(state, "Enough.", Some.Time, new() { SettleEvent = "settle-1", SettleFor = TimeSpan.FromMinutes(settle), IsInconclusive = true });

        (ended.SettlesAt, ended.WakeEvent, ended.ClosedAt, ended.IsInconclusive).ShouldBe((settlesAt is { } minutes ? Some.Time.AddMinutes(minutes) : null, wake, Some.Time, true));
        (ended.OpenGate, ended.LatestGate!.Outcome, ended.LatestGate.ClosedBy).ShouldBe((null, GateOutcome.Cancelled, "The incident ended."));
        ended.End(IncidentState.Resolved, "Again.", Some.Time, new() { SettleFor = s_settle }).ShouldBeSameAs(ended);
        (ended.Attention is not null).ShouldBe(state == IncidentState.Failed);
    }

    [Theory]
    [InlineData(IncidentState.Rejected, "Rejected by ada.", "Rejected by ada. Nothing was done.")]
    [InlineData(IncidentState.Rejected, "ada said no.", "Rejected. ada said no. Nothing was done.")]
    public void End_IsToldWithItsHeadlineOnce(IncidentState state, string cause, string told) =>
        Some.Incident().End(state, cause, Some.Time, new() { SettleFor = s_settle }).Timeline[^1].What.ShouldBe(told);

    /// <summary>What began between the measurement and the asking is not among what was seen. A value of before its own alert, where nothing was changed, opens nothing.</summary>
    [Theory]
    [InlineData(false, true, 0)]
    [InlineData(true, true, 1)]
    [InlineData(true, false, 0)]
    public void AlertThatBeganAfterWhatWasMeasured_IsUnseen(bool late, bool acted, int unseen)
    {
        var began = Some.Time.AddMinutes(3);
        var found = Some.Finding(verdict: Verdict.Passing) with { At = Some.Time.AddMinutes(4) };
        var step = new StepRecord { Phase = Phase.Mitigation, Name = "fix", Action = "act", GateId = "g", Preparation = new() { PlannedEffect = "Fix it.", TellsOnly = !acted }, StartedAt = Some.Time, FinishedAt = Some.Time.AddMinutes(1) };
        var incident = Some.Incident().Attach(Some.Alert("Other"), began) with
        {
            Steps = [step],
            Verification = [found with { Result = found.Result with { MeasuredAt = late ? Some.Time.AddMinutes(2) : null } }],
        };

        incident.End(IncidentState.Resolved, "", Some.Time.AddMinutes(5)).BegunUnseen().Count.ShouldBe(unseen);
    }

    [Fact]
    public void AfterTheEnd_TheSameIsNotedOnce()
    {
        var noted = Some.Incident().NoteAfterEnd("The ticket is closed.", Some.Time);

        noted.NoteAfterEnd("The ticket is closed.", Some.Time.AddMinutes(1)).ShouldBeSameAs(noted);
        noted.NoteAfterEnd("The page is closed.", Some.Time).Timeline.Count.ShouldBe(noted.Timeline.Count + 1);
    }

    [Theory]
    [InlineData(false, false, GateOutcome.Cancelled)]
    [InlineData(true, false, GateOutcome.Cancelled)]
    [InlineData(true, true, GateOutcome.Pending)]
    public void Stop_ClosesWhatIsAskedUnlessItIsTakingBack(bool byHand, bool undoes, GateOutcome outcome)
    {
        var waiting = Some.Waiting(gate: Some.Gate() with { Task = byHand ? new("fix", "Turn the key.", [], Undoes: undoes) : null });

        var stopped = waiting.RequestStop(new("ada", "enough", Some.Time));

        (stopped.LatestGate!.Outcome, stopped.Stop!.By).ShouldBe((outcome, "ada"));
        stopped.RequestStop(new("grace", "me too", Some.Time)).ShouldBeSameAs(stopped);
        var ended = waiting with { State = IncidentState.Resolved };
        ended.RequestStop(new("ada", "enough", Some.Time)).ShouldBeSameAs(ended);
    }

    [Theory]
    [InlineData(IncidentState.TakenOver, true, false, true)]
    [InlineData(IncidentState.TakenOver, false, false, false)]
    [InlineData(IncidentState.Resolved, true, false, false)]
    [InlineData(IncidentState.Failed, false, true, true)]
    [InlineData(IncidentState.Mitigating, false, true, false)]
    public void ByHand_IsClosedOnlyWhatIsLeftToAPerson(IncidentState state, bool settles, bool attention, bool closes)
    {
        var left = Some.Incident() with { State = state, Reason = "It broke.", SettlesAt = settles ? Some.Time : null, Attention = attention ? new(Some.Time, "It broke.") : null };
        left.IsOwnedByResponder().ShouldBe(state == IncidentState.TakenOver && settles);

        var closed = left.CloseByHand("ada", "done by hand", Some.Time);

        (closed.ClosedByHand is not null).ShouldBe(closes);
        closed.CloseByHand("grace", "again", Some.Time).ShouldBeSameAs(closed);
        if (closes)
        {
            (closed.SettlesAt, closed.Reason).ShouldBe((null, "It broke. Closed by ada: done by hand"));
        }
    }
}
