using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Intake;

/// <summary>A person starts a runbook: the same way in as an alert's, except that what is missing is asked for.</summary>
public sealed class ManualStart(LoadedRunbooks runbooks, IncidentIntake intake)
{
    public const string Source = "manual";

    /// <param name="by">Whoever holds the key says who; goes into the record.</param>
    /// <param name="reason">Why; null when nobody said.</param>
    /// <param name="proposed">Nobody started it who answers for it: whatever the runbook says, a person is asked before anything acts.</param>
    /// <returns>The outcome, or what is wrong.</returns>
    public async Task<ManualStartResult> StartAsync(
        string runbookId, IReadOnlyDictionary<string, string> labels, string by, string? reason, CancellationToken cancellationToken, bool proposed = false)
    {
        if (Find(runbooks(), runbookId, out var unknown) is not { } runbook)
        {
            return new(null, ManualStartProblem.NoSuchRunbook, [unknown!]);
        }

        var (batch, errors) = Batch(runbook, labels, by, reason);
        if (batch is null)
        {
            return new(null, ManualStartProblem.MissingLabels, errors);
        }

        var (outcomes, start) = await intake.OpenAsync(batch with { AtLeast = proposed ? RunMode.ApproveAll : RunMode.Normal }, runbook, cancellationToken);
        await intake.StartAsync(start);
        IncidentIntake.Count(batch.First, outcomes[0]);
        return new(outcomes[0], null, []);
    }

    /// <param name="problem">What is loaded instead; null where the runbook is.</param>
    public static Runbook? Find(IReadOnlyCollection<Runbook> loaded, string id, out string? problem)
    {
        var known = loaded.Select(runbook => runbook.Id).Order(StringComparer.Ordinal).ToList();
        var found = loaded.FirstOrDefault(runbook => runbook.Id == id);
        problem = found is null ? $"No runbook '{Clip.To(id, 80)}' is loaded. {Suggestion.For(id, known)}".TrimEnd() : null;
        return found;
    }

    /// <returns>What an incident is opened with, or which labels are missing.</returns>
    internal static (AlertBatch? Batch, IReadOnlyList<string> Errors) Batch(Runbook runbook, IReadOnlyDictionary<string, string> labels, string by, string? reason)
    {
        var alert = new Alert
        {
            Source = Source,
            Name = runbook.Title,
            Summary = reason is null ? $"Started by {by}." : $"Started by {by}: {reason}",
            Fingerprint = $"{Source}:{runbook.Id}",
            Labels = AlertSecrets.Hide(labels),
        };
        var target = Template.Render(runbook.Target, new TemplateScope { Alert = alert });
        return target.Value is { } text
            ? (new AlertBatch(runbook.Id, IncidentTarget.Bound(text), AlertIntent.Fire, [alert], [0]) { Runbook = runbook, StartedBy = by }, [])
            : (null, target.Errors);
    }
}

/// <param name="Problem">Null when <paramref name="Outcome"/> is there.</param>
/// <param name="Errors">In words, each with its remedy.</param>
public sealed record ManualStartResult(IntakeOutcome? Outcome, ManualStartProblem? Problem, IReadOnlyList<string> Errors);

public enum ManualStartProblem { NoSuchRunbook, MissingLabels }
