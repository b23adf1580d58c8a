using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>That a fix did not hold stays said until something has become of it: silence would be a yes to the same fix again.</summary>
public sealed class BrokenFixTests
{
    private static readonly Incident s_before = Some.Incident() with { State = IncidentState.Expired, Follows = "fixed", Steps = [] };
    private static readonly Incident s_next = Some.Incident("261123-0312-another0") with { Follows = null };

    [Fact]
    public void MaintenanceWindowCameBetween_IsKnownAfterIt() =>
        s_next.TakeUp(s_before with { State = IncidentState.NotNeeded, Gates = [Some.Gate() with { Outcome = GateOutcome.Suppressed }] }, Some.Time).Follows.ShouldBe("fixed");

    [Fact]
    public void TriedAgainByAPerson_IsKnown() => s_next.TryAgain(s_before, hasChecks: true, "ada", "again", Some.Time).Follows.ShouldBe("fixed");

    [Theory]
    [InlineData(IncidentState.Expired, "fixed")]
    [InlineData(IncidentState.Failed, "fixed")]
    [InlineData(IncidentState.SelfRecovered, null)]
    [InlineData(IncidentState.NotNeeded, null)]
    public void NextAlert_KnowsItUnlessItWentByItself(IncidentState state, string? follows) =>
        s_next.GoOnAfter(s_before with { State = state, Gates = [Some.Gate() with { Outcome = GateOutcome.Approved }] }, Some.Time).Follows.ShouldBe(follows);

    [Fact]
    public void SomethingWasDoneSinceOrTheAlertIsAnother_IsSaidNoMore()
    {
        s_next.GoOnAfter(s_before with { Steps = [new() { Phase = Phase.Mitigation, Name = "fix", Action = "act", GateId = "g", Preparation = new() { PlannedEffect = "Fixes it." }, StartedAt = Some.Time }] }, Some.Time).Follows.ShouldBeNull();
        (s_next with { Alert = Some.Alert("Other") }).GoOnAfter(s_before, Some.Time).Follows.ShouldBeNull();
        (s_next with { Follows = "newer" }).GoOnAfter(s_before, Some.Time).Follows.ShouldBe("newer");
    }

    [Fact]
    public void StepThatWasRefusedAndDidNothingCameBetween_IsKnownAfterIt()
    {
        var refused = new StepRecord { Phase = Phase.Mitigation, Name = "fix", Action = "act", GateId = "g", Preparation = new() { PlannedEffect = "Fix it." }, StartedAt = Some.Time, Status = StepStatus.Failed, NothingDone = true };

        s_next.GoOnAfter(s_before with { State = IncidentState.Failed, Steps = [refused] }, Some.Time).Follows.ShouldBe("fixed");
    }

    /// <summary>What failed an hour ago is known to the next incident, and to the one after it where that one did nothing.</summary>
    [Theory]
    [InlineData("did not help", true)]
    [InlineData("could not be judged", true)]
    [InlineData("was cut off", true)]
    [InlineData("had helped", false)]
    [InlineData("changed nothing", false)]
    [InlineData("was refused", false)]
    [InlineData("another alert", false)]
    [InlineData("days ago", false)]
    public void SameWasTriedAndNotSeenToHelp_IsSaidUntilSomethingHasBecomeOfIt(string what, bool known)
    {
        var step = new StepRecord { Phase = Phase.Mitigation, Name = "fix", Action = "act", GateId = "g", Preparation = new() { PlannedEffect = "Fix it.", IsSo = what == "changed nothing" }, StartedAt = Some.Time, Status = StepStatus.Done, CutOff = what == "was cut off", NothingDone = what == "was refused" };
        var failed = s_before with
        {
            State = IncidentState.Failed, Follows = null, Steps = [step], IsInconclusive = what == "could not be judged",
            ClosedAt = Some.Time.AddDays(what == "days ago" ? -1 : 0),
            Verification = what == "had helped" ? [new("stuck", "Is it?", new(Verdict.Passing, "It is not."), Some.Time, TimeSpan.Zero)] : [],
        };
        var next = s_next with { Alert = what == "another alert" ? Some.Alert("Other") : s_next.Alert, OpenedAt = Some.Time };

        var opened = next.GoOnAfter(failed, Some.Time);

        opened.Tried?.Incident.ShouldBe(failed.Id);
        (opened.Tried is not null, next.TryAgain(failed, hasChecks: true, "ada", "again", Some.Time).Tried is not null).ShouldBe((known, known));
        next.GoOnAfter(opened with { State = IncidentState.Expired }, Some.Time).Tried.ShouldBe(opened.Tried, "nobody answered that one");
        next.GoOnAfter(opened with { State = IncidentState.SelfRecovered }, Some.Time).Tried.ShouldBeNull();
    }

    [Fact]
    public void SameWasTriedInVainAndNotAllTakenBack_IsSaid()
    {
        var step = new StepRecord
        {
            Phase = Phase.Mitigation, Name = "fix", Action = "act", GateId = "g", StartedAt = Some.Time, Status = StepStatus.UndoFailed,
            Preparation = new() { PlannedEffect = "Add two pods.", UndoState = System.Text.Json.JsonSerializer.SerializeToElement("two") },
        };

        var opened = s_next.GoOnAfter((s_before with { State = IncidentState.Mitigating, Steps = [step] }).End(IncidentState.Failed, "It failed.", Some.Time), Some.Time);

        opened.Tried.ShouldNotBeNull().Warning.ShouldBe($"Incident {s_before.Id} tried the same on this target and failed. It had left in place: fix: Add two pods.");
    }
    /// <summary>A call that must not be repeated may have gone out, however the incident ended and whatever phase it was of.</summary>
    [Theory]
    [InlineData(IncidentState.Failed, Phase.Mitigation, true)]
    [InlineData(IncidentState.Failed, Phase.Resolution, true)]
    [InlineData(IncidentState.Cancelled, Phase.Mitigation, true)]
    [InlineData(IncidentState.TakenOver, Phase.Mitigation, true)]
    [InlineData(IncidentState.Expired, Phase.Mitigation, true)]
    [InlineData(IncidentState.Cancelled, Phase.Mitigation, false)]
    public void NobodyKnowsWhetherAStepHappened_IsSaid(IncidentState end, Phase phase, bool known)
    {
        var before = (s_before with { State = IncidentState.Mitigating, Follows = null, Steps = [Step("flag"), Step("purge") with { Phase = phase, Status = known ? StepStatus.Unknown : StepStatus.Undone }] })
            .End(end, "It ended.", Some.Time);

        var (next, retry) = ((s_next with { OpenedAt = Some.Time }).GoOnAfter(before, Some.Time), s_next.TryAgain(before, hasChecks: true, "ada", "again", Some.Time));

        var warning = known ? $"Incident {s_before.Id} tried the same on this target. Nobody knows whether purge happened there: look before you say yes." : null;
        (next.Tried?.Warning, retry.Tried?.Warning, next.GoOnAfter(next with { State = IncidentState.Expired }, Some.Time).Tried?.Warning).ShouldBe((warning, warning, warning));
    }

    private static StepRecord Step(string name) => new()
    {
        Phase = Phase.Mitigation, Name = name, Action = "act", GateId = "g", Preparation = new() { PlannedEffect = "Fix it." }, StartedAt = Some.Time, FinishedAt = Some.Time, Status = StepStatus.Done,
    };
}
