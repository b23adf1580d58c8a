using System.Text.Json;

namespace Runbooks.Model.Incidents;

/// <summary>Intents and outcomes of steps.</summary>
public sealed partial record Incident
{
    /// <summary>
    /// Records that a step is about to act. A second attempt keeps the first preparation: what the world looked like
    /// before anything was done is what undo needs.
    /// </summary>
    public Incident BeginStep(StepSpec spec, Phase phase, string gateId, Preparation preparation, DateTimeOffset now)
    {
        var known = FindStep(phase, spec.Name);
        if (known is not null)
        {
            return Replace(known with { GateId = gateId, Attempts = known.Attempts + 1, AttemptedAt = now }, now);
        }

        var record = new StepRecord { Phase = phase, Name = spec.Name, Action = spec.Do, GateId = gateId, Preparation = preparation, StartedAt = now };
        return this with { State = StateOf(phase), Reason = null, Steps = [.. Steps, record], WaitsUntil = null, UpdatedAt = now };
    }

    /// <summary>The attempt that began last did nothing: it does not count, and a first one is not on record.</summary>
    /// <param name="before">As it was before that attempt; null where it was the first.</param>
    public Incident ForgetBegin(Phase phase, string step, StepRecord? before) => FindStep(phase, step) is not { FinishedAt: null } begun || begun.Attempts != (before?.Attempts ?? 0) + 1 ? this
        : this with { Steps = before is null ? [.. Steps.Where(each => each != begun)] : [.. Steps.Select(each => each == begun ? before : each)] };

    /// <summary>The attempt that began last has broken off, and another one follows.</summary>
    /// <param name="attempt">Its number. One that is no longer the last says nothing.</param>
    /// <remarks>A machine may have slept meanwhile: nothing was at work for longer than the step has time.</remarks>
    public Incident BreakOffStep(StepSpec spec, Phase phase, int attempt, DateTimeOffset now) => FindStep(phase, spec.Name) is not { FinishedAt: null } begun || begun.Attempts != attempt ? this
        : Replace(begun with { AttemptedAt = (begun.AttemptedAt ?? begun.StartedAt) + spec.Timeout is var late && late < now ? late : now }, now);

    /// <summary>
    /// Records an outcome. The first one counts, should an engine have run the same attempt twice; only undoing comes after it, and what
    /// an attempt knows after all that was taken for cut off.
    /// </summary>
    public Incident FinishStep(StepRecord step, StepStatus status, ActionResult result, DateTimeOffset now)
    {
        var late = step is { Status: StepStatus.Unknown, CutOff: true, FinishedAt: not null } && status is StepStatus.Done or StepStatus.Failed;
        if (step.FinishedAt is not null && !IsUndo(status) && !late)
        {
            return this;
        }

        var line = $"{step.Name}{(late ? " is known now" : "")}: {result.Result}";
        var finished = Replace(step with { Status = status, UndoneFrom = IsUndo(status) ? step.UndoneFrom ?? step.Status : null, FinishedAt = now, FoundSo = step.FoundSo || (status == StepStatus.Done && result.FoundSo), Outcome = result.Result, Outputs = result.Outputs, Evidence = [.. step.Evidence, .. result.Evidence] }, now)
            .Note(now, IsUndo(status) ? TimelineKind.Undo : TimelineKind.Step, "runbook", line);
        return late ? finished.TellOutcome(step.Name, Clip.To(line, LongestOutcome), now) : finished;
    }

    /// <summary>At the end: a step that began and is not tried again has this outcome, until more is known.</summary>
    private Incident FinishBrokenOff(DateTimeOffset now) => Steps
        .Where(step => step.Status == StepStatus.Running)
        .Aggregate(this, (incident, step) => incident.FinishStep(step with { CutOff = true }, StepStatus.Unknown, new("An attempt was cut off, and it is not tried again."), now));

    /// <summary>An attempt that began may still be at work in another process: what comes of it is waited for.</summary>
    /// <param name="until">It is not at work for longer.</param>
    public Incident AwaitOutcome(StepRecord step, DateTimeOffset until, DateTimeOffset now) => State.IsFinal() || WaitsUntil == until || FindStep(step.Phase, step.Name) is not { FinishedAt: null } ? this
        : AwaitNextTry(step.Phase, until, now).Note(now, TimelineKind.Safety, "runbook", $"{step.Name}: an attempt that was lost sight of may still be at work. What comes of it is waited for, until {GateText.Clock(until, now)} at the latest.");

    /// <summary>What the page begins with that tells what became of a step, after all.</summary>
    private const string KnownNow = "known-";

    private const int LongestOutcome = 500;

    /// <summary>What people have to hear who were told that nobody knows it.</summary>
    [JsonIgnore]
    public IEnumerable<DuePage> OutcomesToTell => Pages.Where(page => page.Trouble.StartsWith(KnownNow, StringComparison.Ordinal));

    private Incident TellOutcome(string step, string line, DateTimeOffset now) => State.IsFinal()
        ? NotePage($"{KnownNow}{step}", line, now) with { Reason = $"{Reason} {line}".Trim(), IsEndUnfinished = true }
        : NotePage($"{KnownNow}{step}", line, now);

    /// <summary>
    /// What people said about a step that a person does, as its record: it is written whole once it is known, since before that
    /// nobody has done anything. Of what nobody has begun there is nothing to take back.
    /// </summary>
    public Incident RecordManualStep(StepSpec spec, string gateId, Gate asked, DateTimeOffset now)
    {
        var task = asked.Task!;
        var (closed, done) = (asked.ClosedAt!.Value, asked.Outcome == GateOutcome.Approved);
        var undo = done || task.IsBegun ? task.Undo : null;
        var preparation = new Preparation
        {
            PlannedEffect = task.Instruction,
            Undo = undo,
            UndoState = undo is null ? null : JsonSerializer.SerializeToElement(undo),

            // Whoever could not do it, and ticked nothing, has changed nothing.
            TellsOnly = asked.Outcome == GateOutcome.Rejected && !task.IsBegun,
        };
        var begun = BeginStep(spec, asked.Phase, gateId, preparation, asked.OpenedAt);
        var status = asked.Outcome switch { GateOutcome.Approved => StepStatus.Done, GateOutcome.Rejected => StepStatus.Failed, _ => StepStatus.Unknown };
        var outputs = done ? new Dictionary<string, string> { ["by"] = ManualTaskText.People(asked) } : [];
        return begun.FinishStep(begun.FindStep(asked.Phase, spec.Name)!, status, new ActionResult(ManualTaskText.Outcome(asked)) { Outputs = outputs }, closed) with { UpdatedAt = now };
    }

    /// <summary>Time until which a lack of progress is normal; null where nothing holds it back.</summary>
    public DateTimeOffset? WaitsUntil { get; init; }

    /// <summary>An approved step waits until nothing stands against it; said once for each reason.</summary>
    /// <param name="until">When what stands against it ends, or is looked at again.</param>
    public Incident HoldStep(string step, Phase phase, string why, DateTimeOffset until, DateTimeOffset now) =>
        AwaitNextTry(phase, until, now).Hold($"{step} waits: {why}", until, now);

    /// <summary>What was approved did not come to act this time.</summary>
    /// <param name="until">It is tried again by then.</param>
    public Incident AwaitNextTry(Phase phase, DateTimeOffset until, DateTimeOffset now) => this with { State = StateOf(phase), WaitsUntil = until, UpdatedAt = now };

    /// <summary>What was changed is not taken back yet; said once for each reason.</summary>
    /// <param name="until">It is looked at again by then.</param>
    public Incident HoldUndo(string step, string why, DateTimeOffset until, DateTimeOffset now) =>
        State.IsFinal() ? this : Hold($"{step} is not taken back yet: {why}", until, now);

    private Incident Hold(string words, DateTimeOffset until, DateTimeOffset now) =>
        (this with { Reason = words, WaitsUntil = until, UpdatedAt = now }).NoteOnce(now, TimelineKind.Safety, "runbook", words);

    private static IncidentState StateOf(Phase phase) => phase == Phase.Mitigation ? IncidentState.Mitigating : IncidentState.Resolving;

    private static bool IsUndo(StepStatus status) => status is StepStatus.Undone or StepStatus.UndoFailed or StepStatus.Kept or StepStatus.LeftAlone or StepStatus.HandedOn or StepStatus.AsBefore;

    private Incident Replace(StepRecord step, DateTimeOffset now) =>
        this with { Steps = [.. Steps.Select(s => s.Phase == step.Phase && s.Name == step.Name ? step : s)], WaitsUntil = null, UpdatedAt = now };
}

/// <summary>
/// The sender says that it is over before anything was done. That is a claim: the runbook's own checks are asked, and only
/// they withdraw the question. A runbook without checks has nothing but the sender's word, and where that is no all-clear not even that.
/// </summary>
public sealed partial record Incident
{
    private const string RecoveryNews = "recovery";

    /// <summary>Since when every alert is ended at its sender, at least one of them without an all-clear; null while one fires, and when all are over.</summary>
    public DateTimeOffset? EndedUnseenAt { get; init; }

    /// <summary>When the sender said that all alerts are over, or ended them without having seen it; null while one fires.</summary>
    [JsonIgnore]
    public DateTimeOffset? ClaimedAt => AlertResolvedAt ?? EndedUnseenAt;

    /// <summary>No alert fires any more at its sender, and nothing was done yet but to tell.</summary>
    [JsonIgnore]
    public bool ClaimsRecovery => ClaimedAt is not null && !HasActed && !Gates.Any(gate => gate.Task is { IsBegun: true });

    /// <summary>What the checks answered to the present claim; null while they have not been asked about it.</summary>
    [JsonIgnore]
    public RecoveryCheck? CheckedClaim => ClaimsRecovery && Recovery?.ClaimedAt == ClaimedAt ? Recovery : null;

    /// <summary>Before anything was done, an alert that is over and whose checks agree means that nothing needs doing; afterwards it is evidence.</summary>
    public static bool RecoveredBeforeActing(Incident incident) =>
        incident.CheckedClaim is { Answer: RecoveryAnswer.Confirmed } || (incident.CheckedClaim is { Answer: RecoveryAnswer.NoChecks } && incident.AlertResolvedAt is not null);

    /// <summary>As <see cref="RecoveredBeforeActing(Incident)"/>, but an alert that comes and goes has to be quiet for a while: its question stands meanwhile.</summary>
    public static bool RecoveredBeforeActing(Incident incident, DateTimeOffset now) =>
        RecoveredBeforeActing(incident) && !(now < incident.HeldUntil);

    /// <summary>Records what the checks answered to the sender's claim. People are told once of a claim that the checks do not bear out.</summary>
    /// <param name="claimedAt">The claim that the checks were asked about; one that was taken back meanwhile is not recorded.</param>
    /// <param name="answers">Of the checks that call for the mitigation; empty when the runbook has none.</param>
    public Incident RecordRecovery(DateTimeOffset claimedAt, Condition when, IReadOnlyList<Finding> answers, DateTimeOffset now)
    {
        if (!ClaimsRecovery || ClaimedAt != claimedAt || State.IsFinal())
        {
            return this;
        }

        var findings = SinceFiring(answers, now);
        var answer = findings.Count == 0 ? RecoveryAnswer.NoChecks : Diagnosis.Conclude(when, findings, isOver: AlertResolvedAt is not null) switch
        {
            Conclusion.Healthy => RecoveryAnswer.Confirmed,
            Conclusion.Failing => RecoveryAnswer.StillFailing,
            _ => RecoveryAnswer.Unclear,
        };
        var recorded = this with
        {
            Recovery = new(claimedAt, now, answer),
            VerificationRounds = findings.Count == 0 ? VerificationRounds : VerificationRounds.Add(IncidentState.AwaitingApproval, findings, now),
            UpdatedAt = now,
        };
        if (Flaps(now))
        {
            // It would be said and taken back with each time that the alert comes and goes.
            return recorded;
        }

        return answer switch
        {
            RecoveryAnswer.StillFailing => recorded.AddNews(
                RecoveryNews, "runbook", $"{Claim}; the checks still fail: {Summarize(findings.Where(finding => finding.Verdict == Verdict.Failing))}", now),
            RecoveryAnswer.Unclear => recorded.AddNews(
                RecoveryNews, "runbook",
                findings.Any(finding => finding.Verdict == Verdict.Unknown) ? $"{Claim}; not every check could be answered: {Summarize(findings.Where(finding => finding.Verdict != Verdict.Passing))}"
                : $"{Claim}. {Diagnosis.WhyUnclear(when, findings)}", now),
            RecoveryAnswer.NoChecks when AlertResolvedAt is null => recorded.AddNews(
                RecoveryNews, "runbook", $"{Claim}; this runbook has no checks that could say whether it is over.", now),
            _ => recorded.DropNews(RecoveryNews),
        };
    }

    private string Claim => AlertResolvedAt is not null ? "The sender says it is over" : CleanText.Capital(EndedText("it"));

    /// <summary>What the sender said where that is no all-clear for every alert.</summary>
    private string EndedText(string what) => EndReasons is { Length: > 0 } why
        ? $"the sender ended {what} without an all-clear ({why})"
        : "the sender says that every alert on record is over, but more came than one record knows";

    /// <summary>The sender's words for why it ended alerts that nobody saw to be over.</summary>
    private string EndReasons => string.Join(", ", Alerts.Select(alert => alert.EndedBecause).Concat(Unlisted.Select(alert => alert.Why)).OfType<string>().Distinct().Select(why => Clip.To(why, 100)));

    /// <summary>Why nobody was asked, a question was withdrawn, or what was approved did not run.</summary>
    public static string RecoveryReason(Incident incident)
    {
        var over = incident.AlertResolvedAt is null ? incident.EndedText("the alert") : "the alert was resolved";
        var when = incident.Gates.LastOrDefault(gate => gate is { Task: null, Outcome: GateOutcome.Approved }) switch
        {
            null when incident.OpenGate is { } gate => $"{CleanText.Capital(over)} before the {(gate.Task is null ? "steps were approved" : "work by hand was done")}",
            null => $"{CleanText.Capital(over)} before anybody was asked",
            { Decisions.Count: 0 } => $"{CleanText.Capital(over)} before anything was done",
            _ => $"It was approved and then not needed: {over} before anything was done",
        };
        var why = incident.CheckedClaim?.Answer == RecoveryAnswer.NoChecks
            ? $"{when}. The sender says so; this runbook has no checks that could confirm it."
            : $"{when}, and the checks no longer call for the mitigation.";
        return string.Join(' ', (string[])[why, .. incident.HeldUntil is null ? [] : incident.RecurrenceLines()]);
    }
}

/// <summary>The answer of the checks to one claim of the sender that it is over.</summary>
/// <param name="ClaimedAt">When the sender said so.</param>
/// <param name="AskedAt">When the checks were asked last about it.</param>
public sealed record RecoveryCheck(DateTimeOffset ClaimedAt, DateTimeOffset AskedAt, RecoveryAnswer Answer) : Evolving;

public enum RecoveryAnswer
{
    /// <summary>The checks no longer call for the mitigation.</summary>
    Confirmed,

    /// <summary>The runbook has no checks that could say: the sender's word is all there is.</summary>
    NoChecks,

    StillFailing,

    /// <summary>Nothing fails for certain, and something could not be answered.</summary>
    Unclear,
}
