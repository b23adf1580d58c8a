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

    /// <summary>A stop that came in the resolution leaves a fix that worked, and whoever took over finds things as they are. A take-back leaves nothing.</summary>
    [Theory]
    [InlineData(true, false, IncidentState.TakenOver, true, true, true)]
    [InlineData(false, true, IncidentState.Resolved, true, true, true)]
    [InlineData(false, true, IncidentState.TakenOver, false, false, false)]
    [InlineData(false, false, IncidentState.Resolved, false, false, true)]
    [InlineData(false, false, IncidentState.Resolved, true, false, false)]
    [InlineData(false, false, IncidentState.Resolved, false, true, false)]
    public void StopThatNobodyReadBeforeTheEnd_IsOneWhereStepsAreToBeUndone(bool takesBack, bool before, IncidentState end, bool inResolution, bool resolved, bool unread)
    {
        var stopped = Some.Incident() with
        {
            State = IncidentState.Verifying,
            Stop = new("ada", "enough", Some.Time, takesBack) { BeforeResolution = before },
            Steps = resolved ? [s_fixed, s_fixed with { Phase = Phase.Resolution }] : [s_fixed],
        };

        stopped.HasUnreadStop(end, inResolution).ShouldBe(unread);
        foreach (var other in new[] { stopped with { Stop = null }, stopped with { State = IncidentState.Cancelled }, stopped with { UndoBeganAt = Some.Time }, stopped with { Steps = [] } })
        {
            other.HasUnreadStop(end, inResolution).ShouldBeFalse();
        }
    }

    [Fact]
    public void StopThatTakesBack_IsOneMoreThanAStop()
    {
        var stopped = Some.Waiting().RequestStop(new("ada", "enough", Some.Time));

        var takenBack = stopped.RequestStop(new("grace", "it hurts", Some.Time, TakesBack: true));

        (takenBack.Stop!.By, takenBack.Timeline[^1].Who, takenBack.Timeline[^1].What).ShouldBe(("grace", "grace", "grace asked for what was changed to be taken back: it hurts"));
        takenBack.RequestStop(new("linus", "me too", Some.Time, TakesBack: true)).ShouldBeSameAs(takenBack);
        takenBack.RequestStop(new("linus", "me too", Some.Time)).ShouldBeSameAs(takenBack);
    }

    /// <summary>Whoever stops before it is told that what can be taken back is.</summary>
    [Fact]
    public void Stop_KnowsWhetherItCameBeforeTheResolution()
    {
        var open = Some.Incident() with { Steps = [s_fixed], Gates = [Some.Gate() with { Outcome = GateOutcome.Approved }] };

        IsBefore(open).ShouldBeTrue();
        IsBefore(open with { State = IncidentState.Resolving }).ShouldBeFalse();
        IsBefore(open with { Gates = [.. open.Gates, Some.Gate(2) with { Phase = Phase.Resolution }] }).ShouldBeFalse();
        IsBefore(open with { Steps = [s_fixed, s_fixed with { Phase = Phase.Resolution }] }).ShouldBeFalse();
        IsBefore(open with { UndoBeganAt = Some.Time }).ShouldBeFalse();

        static bool IsBefore(Incident incident) => incident.RequestStop(new("ada", "enough", Some.Time)).Stop!.BeforeResolution;
    }

    /// <summary>It ended at minute 5, and its checks told last at minute 4.</summary>
    [Theory]
    [InlineData(4, true, false)]
    [InlineData(5, true, true)]
    [InlineData(5, false, false)]
    public void FiredAfterTheChecksHadTold_IsUnseen(int lastAt, bool fires, bool unseen)
    {
        var ended = Ended(Alert("a", lastAt) with { Resolved = !fires }, Alert("b", 1) with { Resolved = true });

        ended.FiresUnseen().ShouldBe(unseen);
        (ended with { AlertResolvedAt = Some.Time }).FiresUnseen().ShouldBeFalse();
        (ended with { Verification = [] }).FiresUnseen().ShouldBeFalse("then it is the end that counts");
    }

    [Fact]
    public void RecoveredByItself_ItsChecksToldOfTheClaimOrWhenTheyWereAskedAgain()
    {
        var recovered = Ended(Alert("a", 3)) with { State = IncidentState.SelfRecovered, Recovery = new(At(2), At(2), RecoveryAnswer.Confirmed) };

        recovered.FiresUnseen().ShouldBeTrue();
        (recovered with { ConfirmedAt = At(1) }).FiresUnseen().ShouldBeTrue();
        (recovered with { ConfirmedAt = At(3) }).FiresUnseen().ShouldBeFalse();
    }

    [Fact]
    public void EndedWithoutAnAllClearSince_SaysWhyUnlessSomethingFires()
    {
        var (series, data) = (Alert("a", 5) with { EndedBecause = "MissingSeries" }, Alert("b", 5) with { EndedBecause = "NoData" });

        Ended(series, data, series with { Fingerprint = "c" }).EndedUnseenBecause().ShouldBe("MissingSeries, NoData");
        Ended(series, Alert("b", 5)).EndedUnseenBecause().ShouldBeNull();
        Ended(series, Alert("b", 4), Alert("c", 5) with { Resolved = true }).EndedUnseenBecause().ShouldBe("MissingSeries");
        Ended(Alert("a", 4)).EndedUnseenBecause().ShouldBeNull();
    }

    [Theory]
    [InlineData(IncidentState.Resolved, false, 1)]
    [InlineData(IncidentState.Resolved, true, 0)]
    [InlineData(IncidentState.Failed, false, 0)]
    public void BegunAfterTheEnd_IsLookedAtWhereNoSettleWindowDoes(IncidentState state, bool settles, int unseen)
    {
        var ended = Ended(Alert("a", 5), Alert("b", 4), Alert("c", 5) with { Resolved = true }) with { State = state, SettlesAt = settles ? At(9) : null };

        ended.BegunUnseen().Select(alert => (alert.Fingerprint, alert.StartsAt)).ShouldBe(unseen == 0 ? [] : [("a", At(5))]);
    }

    [Fact]
    public void FiringAgain_IsFirstWhatCameSinceAndOneOfThoseThatSayTheSame()
    {
        var opener = Alert("a", 1) with { Fingerprint = Some.Alert().Fingerprint, Name = Some.Alert().Name, Alert = null, IsWhole = false };
        var ended = Ended(opener, Alert("old", 1), Alert("new", 5), Alert("new-too", 5) with { Alert = Alert("new", 5).Alert! with { Fingerprint = "new-too" } }, Alert("over", 5) with { Resolved = true }, Alert("gone", 5) with { HandedTo = "i-2" });

        ended.FiringAgain().Select(alert => alert.Fingerprint).ShouldBe(["new", opener.Fingerprint, "old"]);
        var over = Ended(Alert("over", 5) with { Resolved = true });
        over.FiringAgain().ShouldBe([over.Alert]);
    }

    private static readonly StepRecord s_fixed = new() { Phase = Phase.Mitigation, Name = "fix", Action = "act", GateId = "g", Preparation = new() { PlannedEffect = "Fix it." }, StartedAt = Some.Time };

    private static Incident Ended(params AttachedAlert[] alerts) => Some.Incident() with
    {
        State = IncidentState.Resolved,
        ClosedAt = At(5),
        Verification = [Some.Finding() with { At = At(4) }, Some.Finding("up") with { At = At(3) }],
        Alerts = alerts,
    };

    /// <summary>It began and came last at that minute.</summary>
    private static AttachedAlert Alert(string id, int minute) => new(id, "alertmanager", id, 1, At(minute), At(minute), false)
    {
        BeganAt = At(minute),
        StartsAt = At(minute),
        IsWhole = true,
        Alert = Some.Alert(id) with { Fingerprint = id, Labels = new Dictionary<string, string> { ["id"] = id } },
    };

    private static DateTimeOffset At(int minutes) => Some.Time.AddMinutes(minutes);
}
