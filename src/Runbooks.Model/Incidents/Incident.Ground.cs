namespace Runbooks.Model.Incidents;

/// <summary>
/// What a step rests on: answers of the checks, and an approval that was given on them. Both age. Beyond
/// <see cref="LongestGround"/> the checks are asked again before the step acts, and what no longer holds is asked anew.
/// </summary>
public sealed partial record Incident
{
    /// <summary>Answers that are older than this are nothing to act on.</summary>
    public static readonly TimeSpan LongestGround = TimeSpan.FromMinutes(30);

    /// <summary>When the checks were last asked again just before a step, and what was approved still held; null when that never was needed.</summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>Whether a step of it, ours or a person's, may have changed something. To tell is not to act.</summary>
    [JsonIgnore]
    public bool HasActed => Steps.Any(step => !step.Preparation.TellsOnly);

    /// <summary>Whether what a step of this phase rests on is too old. An attempt that has begun is finished: half a step is worse than a whole one.</summary>
    /// <param name="gate">The approval that covers the step: all there is to age where a runbook has no checks.</param>
    public bool IsGroundTooOld(Phase phase, Gate gate, DateTimeOffset now)
    {
        if (Steps.Any(step => step.FinishedAt is null))
        {
            return false;
        }

        var answers = phase == Phase.Mitigation ? Findings : Verification;
        var last = answers.Select(finding => (DateTimeOffset?)finding.At)
            .Concat(Steps.Where(IsActOfOurs).Select(step => step.FinishedAt))
            .Append(ConfirmedAt)
            .Append(answers.Count == 0 ? gate.ClosedAt : null)
            .Max();
        return now - last > LongestGround;
    }

    /// <summary>A step that a person did ended when they said so, days later perhaps: that is no look at the target.</summary>
    private bool IsActOfOurs(StepRecord step) => FindTask(step.Phase, step.Name) is not { Task: not null } && !step.Preparation.TellsOnly;

    /// <summary>Whether something of ours has acted on this approval. From then on it is finished: half of it is worse than all.</summary>
    public bool HasActedOn(Gate gate) => Steps.Any(step => step.GateId == gate.Id && IsActOfOurs(step));

    /// <summary>
    /// Why an approval covers the steps of a phase no longer: the checks said so, or people were asked anew. What was found once holds
    /// for every later attempt, whatever would be found now.
    /// </summary>
    public string? FindLapse(Gate gate, Phase phase) => gate.Lapsed
        ?? Gates.FirstOrDefault(later => later.Task is null && later.Phase == phase && (later.Phase != gate.Phase || later.Round > gate.Round))?.Difference;

    /// <summary>The checks were asked again just before a step, and what was approved still holds. The answers that people were shown stay as they are.</summary>
    public Incident Confirm(IReadOnlyList<Finding> findings, DateTimeOffset now) =>
        (this with { ConfirmedAt = now, VerificationRounds = VerificationRounds.Add(IncidentState.AwaitingApproval, findings, now) }).Note(now, TimelineKind.Diagnosis, "runbook", $"What was approved rested on older answers, so the checks were asked again; it still holds. {Summarize(findings)}");

    /// <summary>Answers up to this age show how things stood right before the first step.</summary>
    public static readonly TimeSpan LongestBaseline = TimeSpan.FromMinutes(1);

    /// <summary>Whether nothing has acted yet and the last answers are too old to credit it with what passes afterwards.</summary>
    public bool NeedsLookBeforeActing(DateTimeOffset now) =>
        Mode != RunMode.DryRun && !HasActed && Findings.Count > 0
        && now - Findings.Select(finding => (DateTimeOffset?)finding.At).Append(ConfirmedAt).Max() > LongestBaseline;

    /// <summary>How things stood right before the first step; see <see cref="EndingText.IsVerifiedFix"/>.</summary>
    public Incident RecordBeforeActing(IReadOnlyList<Finding> findings, DateTimeOffset now)
    {
        if (State.IsFinal() || HasActed)
        {
            return this;
        }

        var recovered = findings.Where(finding => finding.Verdict == Verdict.Passing && Findings.Any(old => old.Name == finding.Name && old.Verdict != Verdict.Passing)).ToList();
        var looked = this with { VerificationRounds = VerificationRounds.Add(IncidentState.AwaitingApproval, findings, now), UpdatedAt = now };
        return recovered.Count == 0 ? looked
            : looked.NoteOnce(now, TimelineKind.Diagnosis, "runbook", $"Came right by itself before the first step, which is not credited with it. {Summarize(recovered)}");
    }

    /// <summary>What was approved no longer holds: whoever is asked anew sees the new answers, and the first ones stay among the rounds.</summary>
    /// <param name="gate">The approval, which covers nothing any more.</param>
    /// <param name="why">What has changed, in words.</param>
    public Incident Unsettle(Gate gate, Phase phase, string why, IReadOnlyList<Finding> findings, DateTimeOffset now)
    {
        var noted = Note(now, TimelineKind.Diagnosis, "runbook", $"What was approved rested on older answers, so the checks were asked again; it holds no longer. {Summarize(findings)}");
        var rounds = phase == Phase.Mitigation && !VerificationRounds.Any(round => round.State == IncidentState.Diagnosing)
            ? VerificationRounds.Add(IncidentState.Diagnosing, Findings, Findings.Min(finding => finding.At))
            : VerificationRounds;
        var unsettled = noted.Replace(FindGate(gate.Id)! with { Lapsed = why }) with { ConfirmedAt = now, VerificationRounds = rounds.Add(IncidentState.AwaitingApproval, findings, now) };
        return phase == Phase.Mitigation
            ? unsettled with { Findings = [.. Findings.Select(old => findings.FirstOrDefault(one => one.Name == old.Name) ?? old)] }
            : unsettled with { Verification = [.. Verification.Select(old => findings.FirstOrDefault(one => one.Name == old.Name) ?? old)] };
    }
}
