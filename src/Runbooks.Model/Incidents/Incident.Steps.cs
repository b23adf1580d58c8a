using System.Text.Json;

namespace Runbooks.Model.Incidents;

public sealed partial record Incident
{
    /// <summary>A further attempt keeps the first preparation, because undo needs the state from before it.</summary>
    public Incident BeginStep(StepSpec spec, Phase phase, string gateId, Preparation preparation, DateTimeOffset now)
    {
        var known = FindStep(phase, spec.Name);
        if (known is not null)
        {
            var again = known with { GateId = gateId, Attempts = known.Attempts + 1, AttemptedAt = now, NothingDone = false };
            return Replace(again, now) with { Reason = null };
        }

        var record = new StepRecord { Phase = phase, Name = spec.Name, Action = spec.Do, GateId = gateId, Preparation = preparation, StartedAt = now };
        return this with { State = StateOf(phase), Reason = null, Steps = [.. Steps, record], WaitsUntil = null, UpdatedAt = now };
    }

    /// <summary>The last attempt did nothing, so it does not count. A first attempt is removed.</summary>
    /// <param name="before">The step before that attempt. Null if it was the first.</param>
    public Incident ForgetBegin(Phase phase, string step, StepRecord? before)
    {
        if (FindStep(phase, step) is not { FinishedAt: null } begun || begun.Attempts != (before?.Attempts ?? 0) + 1)
        {
            return this;
        }

        var steps = before is null ? Steps.Where(each => each != begun) : Steps.Select(each => each == begun ? before : each);
        return this with { Steps = [.. steps] };
    }

    /// <summary>Noted once for each reason. The step is tried again.</summary>
    /// <param name="attempt">Its number. Ignored if it is no longer the last.</param>
    /// <param name="nothingDone">Neither this attempt nor one before it changed anything.</param>
    /// <remarks>A machine may have slept meanwhile, so the attempt counts as at work no longer than the step's timeout.</remarks>
    public Incident BreakOffStep(StepSpec spec, Phase phase, int attempt, string why, bool nothingDone, DateTimeOffset now)
    {
        if (FindStep(phase, spec.Name) is not { FinishedAt: null } begun || begun.Attempts != attempt)
        {
            return this;
        }

        var timeUp = (begun.AttemptedAt ?? begun.StartedAt) + spec.Timeout;
        return Replace(begun with { AttemptedAt = timeUp < now ? timeUp : now, NothingDone = nothingDone }, now).Explain($"{spec.Name} is tried again: {why}", now);
    }

    /// <summary>
    /// The first outcome counts, in case an engine ran the same attempt twice. After it come only an undo, or the late outcome of a step
    /// that seemed cut off.
    /// </summary>
    public Incident FinishStep(StepRecord step, StepStatus status, ActionResult result, DateTimeOffset now)
    {
        var late = step is { Status: StepStatus.Unknown, CutOff: true, FinishedAt: not null }
            && status is StepStatus.Done or StepStatus.Failed;
        if (step.FinishedAt is not null && !IsUndo(status) && !late)
        {
            return this;
        }

        var line = $"{step.Name}{(late ? " is known now" : "")}: {result.Result}";
        var changed = Replace(
            step with
            {
                Status = status,
                UndoneFrom = IsUndo(status) ? step.UndoneFrom ?? step.Status : null,
                FinishedAt = now,
                FoundSo = step.FoundSo || (status == StepStatus.Done && result.FoundSo),
                Outcome = result.Result,
                Outputs = result.Outputs,
                Evidence = [.. step.Evidence, .. result.Evidence],
            },
            now);

        // An undo that keeps failing is tried for hours.
        var finished = status == StepStatus.UndoFailed
            ? changed.NoteOnce(now, TimelineKind.Undo, "runbook", line)
            : changed.Note(now, IsUndo(status) ? TimelineKind.Undo : TimelineKind.Step, "runbook", line);
        return late ? finished.TellOutcome(step.Name, Clip.To(line, LongestOutcome), now) : finished;
    }

    /// <summary>At the end of the incident, a step that is not retried counts as cut off until more is known.</summary>
    private Incident FinishBrokenOff(DateTimeOffset now) => Steps
        .Where(step => step.Status == StepStatus.Running)
        .Aggregate(this, (incident, step) => step.NothingDone
            ? incident.FinishStep(step, StepStatus.Failed, new("It did nothing, and is not tried again."), now)
            : incident.FinishStep(step with { CutOff = true }, StepStatus.Unknown, new("An attempt was cut off, and it is not tried again."), now));

    /// <summary>The attempt may still be at work in another process, so its outcome is awaited.</summary>
    /// <param name="until">It cannot be at work for longer.</param>
    public Incident AwaitOutcome(StepRecord step, DateTimeOffset until, DateTimeOffset now)
    {
        if (State.IsFinal() || WaitsUntil == until || FindStep(step.Phase, step.Name) is not { FinishedAt: null })
        {
            return this;
        }

        var text = $"{step.Name}: an attempt that was lost sight of may still be at work. "
            + $"What comes of it is waited for, until {GateText.Clock(until, now)} at the latest.";
        return AwaitNextTry(step.Phase, until, now).Note(now, TimelineKind.Safety, "runbook", text);
    }

    /// <summary>The key of a page about an outcome that became known late begins with this.</summary>
    private const string KnownNow = "known-";

    private const int LongestOutcome = 500;

    /// <summary>For people who were told that nobody knows the outcome.</summary>
    [JsonIgnore]
    public IEnumerable<DuePage> OutcomesToTell => Pages.Where(page => page.Trouble.StartsWith(KnownNow, StringComparison.Ordinal));

    private Incident TellOutcome(string step, string line, DateTimeOffset now) => State.IsFinal()
        ? NotePage($"{KnownNow}{step}", line, now) with { Reason = $"{Reason} {line}".Trim(), IsEndUnfinished = true }
        : NotePage($"{KnownNow}{step}", line, now);

    /// <summary>Writes the record of a manual step in one go once its outcome is known. If nobody has begun it, there is nothing to undo.</summary>
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

            // A person who could not do it, and ticked nothing, has changed nothing.
            TellsOnly = asked.Outcome == GateOutcome.Rejected && !task.IsBegun,
        };
        var begun = BeginStep(spec, asked.Phase, gateId, preparation, asked.OpenedAt);
        var status = asked.Outcome switch { GateOutcome.Approved => StepStatus.Done, GateOutcome.Rejected => StepStatus.Failed, _ => StepStatus.Unknown };
        var outputs = done ? new Dictionary<string, string> { ["by"] = ManualTaskText.People(asked) } : [];
        var step = begun.FindStep(asked.Phase, spec.Name)!;
        var result = new ActionResult(ManualTaskText.Outcome(asked)) { Outputs = outputs };
        return begun.FinishStep(step, status, result, closed) with { UpdatedAt = now };
    }

    /// <summary>Until when a lack of progress is normal. Null if nothing holds it back.</summary>
    public DateTimeOffset? WaitsUntil { get; init; }

    /// <summary>Null if no approved step has waited for its turn.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StepTurn? Turn { get; init; }

    /// <summary>
    /// Others are at work there, or a service has no time. Noted once for each reason, and people are told once it has lasted: unlike the
    /// limit on concurrency, nobody chose that.
    /// </summary>
    public Incident AwaitTurn(string step, Phase phase, string why, DateTimeOffset until, DateTimeOffset now)
    {
        var turn = StepTurn.Of(Turn, step, now);
        var waits = HoldStep(step, phase, why, until, now) with { Turn = turn };
        return now - turn.Since < StepTurn.LongestSilence
            ? waits
            : waits.NotePage(
                $"turn-{step}-{turn.Since.ToUnixTimeSeconds()}",
                $"{step} was to run at {GateText.Clock(turn.Since, now)} and has waited for its turn since then: "
                    + $"{EndingText.Sentence(why)} It is tried again and again, for some hours.",
                now);
    }

    /// <summary>Noted once for each reason.</summary>
    /// <param name="until">When what stands against it ends, or is checked again.</param>
    public Incident HoldStep(string step, Phase phase, string why, DateTimeOffset until, DateTimeOffset now) =>
        AwaitNextTry(phase, until, now).Hold($"{step} waits: {why}", until, now);

    /// <summary>The approved step did not act this time.</summary>
    /// <param name="until">When it is tried again, at the latest.</param>
    private Incident AwaitNextTry(Phase phase, DateTimeOffset until, DateTimeOffset now) =>
        this with { State = StateOf(phase), WaitsUntil = until, UpdatedAt = now };

    /// <summary>Noted once for each reason.</summary>
    /// <param name="until">When it is tried again, at the latest.</param>
    public Incident HoldUndo(string step, string why, DateTimeOffset until, DateTimeOffset now) =>
        State.IsFinal() ? this : Hold($"{step} is not taken back yet: {why}", until, now);

    /// <summary>As <see cref="HoldUndo"/>, while everything is paused: nothing is tried meanwhile, so nothing is failing either.</summary>
    public Incident PauseUndo(string step, string why, DateTimeOffset until, DateTimeOffset now) =>
        State.IsFinal() ? this
            : HoldUndo(step, why, until, now) with { Steps = [.. Steps.Select(each => each with { UndoFailingSince = null })] };

    private Incident Hold(string words, DateTimeOffset until, DateTimeOffset now) =>
        (this with { WaitsUntil = until, UpdatedAt = now }).Explain(words, now);

    private Incident Explain(string words, DateTimeOffset now) =>
        (this with { Reason = words }).NoteOnce(now, TimelineKind.Safety, "runbook", words);

    private static IncidentState StateOf(Phase phase) => phase == Phase.Mitigation ? IncidentState.Mitigating : IncidentState.Resolving;

    private static bool IsUndo(StepStatus status) => status is StepStatus.Undone or StepStatus.UndoFailed or StepStatus.Kept
        or StepStatus.LeftAlone or StepStatus.HandedOn or StepStatus.AsBefore;

    private Incident Replace(StepRecord step, DateTimeOffset now) =>
        this with { Steps = [.. Steps.Select(s => s.Phase == step.Phase && s.Name == step.Name ? step : s)], WaitsUntil = null, UpdatedAt = now };
}
