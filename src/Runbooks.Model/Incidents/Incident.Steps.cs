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
        var finished = Replace(step with { Status = status, UndoneFrom = IsUndo(status) ? step.UndoneFrom ?? step.Status : null, FinishedAt = now, Outcome = result.Result, Outputs = result.Outputs, Evidence = [.. step.Evidence, .. result.Evidence] }, now)
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
