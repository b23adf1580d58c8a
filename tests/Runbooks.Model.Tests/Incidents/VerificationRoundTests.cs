using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>A record keeps a hundred changes of what its checks answered: which of more, and what it then says.</summary>
public sealed class VerificationRoundTests
{
    [Fact]
    public void FixAfterMoreRoundsThanAreKept_CountsAsVerified()
    {
        var waited = Rounds(Some.Incident() with { Findings = [Some.Finding("slow")] }, IncidentState.AwaitingApproval, 150);
        var acted = waited with { Steps = [Step()] };

        var verified = acted.RecordVerification(IncidentState.Verifying, [Finding(Verdict.Passing)], null, At(200));

        verified.VerificationRounds.Count.ShouldBe(VerificationRounds.MaxKept);
        EndingText.IsVerifiedFix(verified).ShouldBeTrue();
        verified.End(IncidentState.Resolved, "", At(201)).Reason.ShouldBe("The fix was verified: slow passed after it.");
    }

    [Fact]
    public void MoreRoundsThanAreKept_TheFirstAndTheNewestStayAndTheOthersAreCounted()
    {
        var incident = Rounds(Some.Incident(), IncidentState.Holding, 350);

        incident.VerificationRounds.Count.ShouldBe(VerificationRounds.MaxKept);
        (incident.VerificationRounds[0].At, incident.VerificationRounds[^1].At).ShouldBe((At(0), At(349)));
        incident.VerificationRounds.Select(round => round.At).ShouldBeInOrder();
        incident.VerificationRounds.Sum(round => round.Rounds + round.LeftOut).ShouldBe(350);
    }

    [Fact]
    public void CheckThatComesAndGoesForDays_IsWrittenAboutABoundedNumberOfTimes()
    {
        var held = Rounds(Some.Incident(), IncidentState.Holding, 350);

        held.Timeline.Count(line => line.Kind == TimelineKind.Lease).ShouldBe(101);
        held.Timeline[^1].What.ShouldEndWith("their changes are counted, and no longer written down here.");
        held.RecordVerification(IncidentState.Verifying, [Finding(Verdict.Passing)], null, At(351)).Timeline[^1].What.ShouldStartWith("slow: passing");
    }

    [Fact]
    public void LongLease_KeepsWhatVerifiedTheFix()
    {
        var verifying = Rounds(Some.Incident(), IncidentState.Verifying, 60);

        var held = Rounds(verifying, IncidentState.Holding, 300);

        held.VerificationRounds.Where(round => round.State == IncidentState.Verifying).ShouldBe(verifying.VerificationRounds);
        held.VerificationRounds.Single(round => round.State == IncidentState.Holding && round.LeftOut > 0).LeftOut.ShouldBe(260);
    }

    [Fact]
    public void MoreVerifyingRoundsThanAreKept_TheLastSaysWhetherItHelped()
    {
        var incident = Rounds(Some.Incident(), IncidentState.Verifying, 201);

        (incident.VerificationRounds[^1].At, incident.VerificationRounds[^1].Verdicts["slow"]).ShouldBe((At(200), Verdict.Failing));
    }

    /// <summary>Its check fails and passes in turn.</summary>
    private static Incident Rounds(Incident incident, IncidentState state, int count) => Enumerable.Range(0, count).Aggregate(
        incident,
        (changed, n) => changed.RecordVerification(state, [Finding(n % 2 == 0 ? Verdict.Failing : Verdict.Passing)], null, At(n)));

    private static Finding Finding(Verdict verdict) => Some.Finding("slow", verdict);

    private static StepRecord Step() => new()
    {
        Phase = Phase.Mitigation,
        Name = "fix",
        Action = "test.act",
        GateId = "mitigation-1",
        Preparation = new Preparation { PlannedEffect = "Fix it." },
        StartedAt = At(-1),
        FinishedAt = At(199),
        Status = StepStatus.Done,
    };

    private static DateTimeOffset At(int minutes) => Some.Time.AddMinutes(minutes);
}
