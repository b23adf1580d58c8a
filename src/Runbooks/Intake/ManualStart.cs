using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Text;

namespace Runbooks.Intake;

/// <summary>A person starts a runbook: the same way in as an alert's, except that what is missing is asked for.</summary>
public sealed class ManualStart(LoadedRunbooks runbooks, IncidentIntake intake)
{
    public const string Source = "manual";

    /// <param name="by">Whoever holds the key says who; goes into the record.</param>
    /// <param name="reason">Why; null when nobody said.</param>
    /// <returns>The outcome, or what is wrong.</returns>
    public async Task<ManualStartResult> StartAsync(
        string runbookId, IReadOnlyDictionary<string, string> labels, string by, string? reason, CancellationToken cancellationToken)
    {
        if (runbooks().FirstOrDefault(loaded => loaded.Id == runbookId) is not { } runbook)
        {
            var known = runbooks().Select(loaded => loaded.Id).Order(StringComparer.Ordinal).ToList();
            return new(null, ManualStartProblem.NoSuchRunbook, [$"No runbook '{Clip.To(runbookId, 80)}' is loaded. {Suggestion.For(runbookId, known)}".TrimEnd()]);
        }

        var alert = new Alert
        {
            Source = Source,
            Name = runbook.Title,
            Summary = reason is null ? $"Started by {by}." : $"Started by {by}: {reason}",
            Fingerprint = $"{Source}:{runbook.Id}",
            Labels = AlertSecrets.Hide(labels),
        };
        var target = Template.Render(runbook.Target, new TemplateScope { Alert = alert });
        if (target.Value is not { } text)
        {
            return new(null, ManualStartProblem.MissingLabels, target.Errors);
        }

        var batch = new AlertBatch(runbook.Id, IncidentTarget.Bound(text), AlertIntent.Fire, [alert], [0]) { Runbook = runbook, StartedBy = by };
        var outcomes = await intake.OpenAsync(batch, runbook, cancellationToken);
        IncidentIntake.Count(alert, outcomes[0]);
        return new(outcomes[0], null, []);
    }
}

/// <param name="Problem">Null when <paramref name="Outcome"/> is there.</param>
/// <param name="Errors">In words, each with its remedy.</param>
public sealed record ManualStartResult(IntakeOutcome? Outcome, ManualStartProblem? Problem, IReadOnlyList<string> Errors);

public enum ManualStartProblem { NoSuchRunbook, MissingLabels }
