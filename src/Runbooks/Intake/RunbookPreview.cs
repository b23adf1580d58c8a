using Runbooks.Approvals;

namespace Runbooks.Intake;

/// <summary>
/// What a runbook would find and do now, about a target that somebody names: the real checks are asked and the real actions look at
/// their targets. Nothing is opened, nothing is recorded and nothing acts.
/// </summary>
public sealed class RunbookPreview(LoadedRunbooks loaded, CheckRunner checks, PlanBuilder plans, TimeProvider time)
{
    /// <param name="check">The check of the runbook that is asked; all of them, and what the steps would do, when null.</param>
    public async Task<PreviewResult> MakeAsync(string runbookId, IReadOnlyDictionary<string, string> labels, string by, string? check, CancellationToken cancellationToken)
    {
        if (ManualStart.Find(loaded(), runbookId, out var problem) is not { } runbook)
        {
            return new([problem!]);
        }

        var asked = runbook.Diagnosis.Where(spec => check is null || spec.Name == check).ToList();
        if (check is not null && asked.Count == 0)
        {
            return new([$"The runbook has no check '{Clip.To(check, 80)}'. {Suggestion.For(check, runbook.Diagnosis.Select(spec => spec.Name))}It has: {string.Join(", ", runbook.Diagnosis.Select(spec => spec.Name))}."]);
        }

        var (batch, errors) = ManualStart.Batch(runbook, labels, by, null);
        if (batch is null)
        {
            return new(errors);
        }

        var incident = batch.Candidate(runbook, RunMode.Normal, time.GetUtcNow());
        incident = incident with { Findings = [.. await checks.AskAllAsync(incident, asked, cancellationToken)] };
        return new([])
        {
            Target = incident.Target,
            Findings = incident.Findings,
            Plan = check is null ? await plans.MakeAsync(incident, runbook, Phase.Mitigation, cancellationToken) : null,
        };
    }
}

/// <param name="Errors">What is wrong with the question, each with its remedy; empty when it was answered.</param>
public sealed record PreviewResult(IReadOnlyList<string> Errors)
{
    public string Target { get; init; } = "";

    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>What the steps would do; null where that was not asked.</summary>
    public Plan? Plan { get; init; }
}
