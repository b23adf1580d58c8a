using Runbooks.Model.Definition;

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
            return Replace(known with { Attempts = known.Attempts + 1 }, now);
        }

        var record = new StepRecord
        {
            Phase = phase,
            Name = spec.Name,
            Action = spec.Do,
            GateId = gateId,
            Preparation = preparation,
            StartedAt = now,
        };
        var state = phase == Phase.Mitigation ? IncidentState.Mitigating : IncidentState.Resolving;
        return this with { State = state, Reason = null, Steps = [.. Steps, record], UpdatedAt = now };
    }

    /// <summary>Records an outcome. The first one counts, should an engine have run the same attempt twice; only undoing comes after it.</summary>
    public Incident FinishStep(StepRecord step, StepStatus status, ActionResult result, DateTimeOffset now) =>
        step.FinishedAt is not null && !IsUndo(status)
            ? this
            : Replace(step with { Status = status, UndoneFrom = IsUndo(status) ? step.UndoneFrom ?? step.Status : null, FinishedAt = now, Outcome = result.Result, Outputs = result.Outputs, Evidence = [.. step.Evidence, .. result.Evidence] }, now)
            .Note(now, IsUndo(status) ? TimelineKind.Undo : TimelineKind.Step, "runbook", $"{step.Name}: {result.Result}");

    /// <summary>An approved step waits until nothing stands against it; said once for each reason.</summary>
    public Incident HoldStep(string step, Phase phase, string why, DateTimeOffset now)
    {
        var words = $"{step} waits: {why}";
        var held = this with { State = phase == Phase.Mitigation ? IncidentState.Mitigating : IncidentState.Resolving, Reason = words, UpdatedAt = now };
        return Timeline.Any(line => line.What == words) ? held : held.Note(now, TimelineKind.Safety, "runbook", words);
    }

    private static bool IsUndo(StepStatus status) => status is StepStatus.Undone or StepStatus.UndoFailed or StepStatus.Kept;

    private Incident Replace(StepRecord step, DateTimeOffset now) =>
        this with
        {
            Steps = [.. Steps.Select(s => s.Phase == step.Phase && s.Name == step.Name ? step : s)],
            UpdatedAt = now,
        };
}
