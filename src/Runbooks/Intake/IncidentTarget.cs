using Runbooks.Catalog.Templates;

namespace Runbooks.Intake;

internal static class IncidentTarget
{
    /// <summary>Characters. Stores keep the target in a key, and those are limited.</summary>
    public const int MaxLength = 300;

    /// <summary>
    /// A label that is missing, or hidden because it looks like a secret, becomes <c>?</c>: an alert that says too little still reaches
    /// a person. Its name and identity are then part of the target, since two alerts that lack the same label may be about two things.
    /// </summary>
    public static string Of(Runbook runbook, Alert alert)
    {
        var target = Template.Parse(runbook.Target).RenderLenient(new TemplateScope { Alert = alert }).Trim();
        var missing = Missing(runbook, alert);
        if (missing.Count == 0)
        {
            return Named(runbook, alert, target);
        }

        var hidden = Hidden(runbook, alert);
        var lacks = missing.Except(hidden).ToList();
        var why = string.Join(", ", Lines.Of(
            lacks.Count > 0 ? $"without {string.Join(" and ", lacks)}" : null,
            hidden.Count > 0 ? $"with {string.Join(" and ", hidden)} hidden" : null));
        var what = $"{RuleOf(alert)}, {why}, alert {IdentityOf(alert, hidden.Count > 0)}";
        return Bound(target is "" or "?" or Redactor.Hidden ? what : $"{target} ({what})");
    }

    /// <summary>Placeholders without a value, or with a hidden one.</summary>
    public static IReadOnlyList<string> Missing(Runbook runbook, Alert alert) =>
        Placeholders(runbook, alert, value => value?.Contains(Redactor.Hidden, StringComparison.Ordinal) != false);

    private static IReadOnlyList<string> Hidden(Runbook runbook, Alert alert) =>
        Placeholders(runbook, alert, value => value?.Contains(Redactor.Hidden, StringComparison.Ordinal) == true);

    private static IReadOnlyList<string> Placeholders(Runbook runbook, Alert alert, Func<string?, bool> isWanted)
    {
        var scope = new TemplateScope { Alert = alert };
        return [.. Template.Parse(runbook.Target).Placeholders
            .Where(placeholder => isWanted(scope.Find(placeholder)))
            .Select(placeholder => placeholder.Path)
            .Distinct()];
    }

    /// <summary>Grafana's own alerts, such as DatasourceNoData, have the rule that they are about in labels.</summary>
    private static string RuleOf(Alert alert) => alert.Labels.TryGetValue("rulename", out var rule)
        ? $"{rule}{(alert.Labels.TryGetValue("ref_id", out var query) ? $" {query}" : "")} ({alert.Name})"
        : alert.Name;

    /// <summary>
    /// Azure Monitor gives every firing another identity, so there the labels distinguish alerts. Messages about the health of a resource
    /// have one identity, and other labels each time.
    /// </summary>
    private static string IdentityOf(Alert alert, bool isHidden)
    {
        var byLabels = alert is { Source: AlertSource.AzureMonitor, Resources.Count: > 0 }
            && ResourceHealth.Of(alert) is null
            && !isHidden;
        var identity = byLabels ? $"{alert.Name}\n{AlertLabels.KeyOf(alert)}" : alert.Fingerprint;
        return TextHash.Of(identity, bytes: 6);
    }

    /// <summary>For a target that lacks nothing.</summary>
    internal static string Named(Runbook runbook, Alert alert, string target) =>
        TargetKey.Named(Bound(target), alert, runbook.Trigger);

    private static string Bound(string target)
    {
        var text = target.Trim();
        if (text.Length == 0)
        {
            return "?";
        }

        // The hash distinguishes two long targets that differ only after the cut.
        return text.Length <= MaxLength ? text : $"{Clip.To(text, MaxLength - 17)} {TextHash.Of(text, bytes: 8)}";
    }
}

/// <summary>
/// Starts the workflow of a new incident, or of one whose start a crash may have cut off: then the alerts of the sender's next try fold
/// into an incident that was never started.
/// </summary>
internal sealed record IncidentStart(Incident Incident, Runbook? Runbook)
{
    public bool Wakes { get; init; }

    public static IncidentStart Waking(Incident incident) => new(incident, null) { Wakes = true };

    public static IReadOnlyList<IncidentStart> Merge(IEnumerable<IncidentStart> starts) =>
        [.. starts.GroupBy(start => start.Incident.Id).Select(MergeOne)];

    private static IncidentStart MergeOne(IEnumerable<IncidentStart> ofIncident) => ofIncident.Last() with
    {
        Runbook = ofIncident.Select(start => start.Runbook).FirstOrDefault(runbook => runbook is not null),
        Wakes = ofIncident.Any(start => start.Wakes),
    };

    /// <summary>The incident must be on record: a sender that hangs up does not stop this.</summary>
    public async Task RunAsync(IIncidentEngine engine, PinnedRunbooks pinned)
    {
        if (Runbook is { } opened)
        {
            await engine.StartAsync(IncidentInput.Of(Incident.Id, opened), CancellationToken.None);
            return;
        }

        var mayBeUnstarted = Incident is { State: IncidentState.Diagnosing, WakeEvent: null };
        if (mayBeUnstarted && await engine.FindAsync(Incident.Id, CancellationToken.None) is null)
        {
            var runbook = await pinned.OfAsync(Incident, CancellationToken.None);
            await engine.StartAsync(IncidentInput.Of(Incident.Id, runbook), CancellationToken.None);
        }
    }
}

internal static class IntakeText
{
    /// <summary>For a manual start.</summary>
    public static string Standing(Incident incident, DateTimeOffset now) =>
        !incident.State.IsFinal() ? $"Incident {incident.Id} on this target is open already."
        : incident.IsOwnedByResponder() ? $"Incident {incident.Id} on this target was taken over by a person. Close it first."
        : $"Incident {incident.Id} on this target was closed a moment ago, "
            + $"and its fix settles until {GateText.Clock(incident.SettlesAt ?? now, now)}. Try that one again if it is needed.";

    /// <summary>For an alert.</summary>
    public static string Folding(Incident incident, DateTimeOffset now)
    {
        var until = GateText.Clock(incident.SettlesAt ?? now, now);
        if (incident.IsOwnedByResponder())
        {
            return $"Incident {incident.Id} on this target was taken over by a person; "
                + $"alerts belong to it until it is closed, at the latest {until}.";
        }

        if (!incident.State.IsFinal())
        {
            return $"Incident {incident.Id} on this target is open; this is its alert number {incident.AlertCount}.";
        }

        if (incident.SaidNo() is not { } no)
        {
            return $"Incident {incident.Id} on this target was closed a moment ago; late alerts belong to it until {until}.";
        }

        return incident.HoldsUnasked()
            ? "It comes and goes, and does not ask again until it has been quiet for "
                + $"{Recurrence.QuietFor.TotalMinutes:0} minutes, or does not end for as long: {no.Text}"
            : $"It still fires and does not ask again: {no.Text}";
    }
}

/// <summary>As they are loaded now; open incidents stay pinned to their own versions.</summary>
public delegate IReadOnlyCollection<Runbook> LoadedRunbooks();

/// <param name="Reason">Always there when the alert was ignored.</param>
public sealed record IntakeOutcome(string? Id, string? Runbook, string? Target, IntakeResult Outcome, string? Reason);

public enum IntakeResult
{
    Opened,

    /// <summary>An incident on the same target existed already and has the alert on record.</summary>
    Folded,

    Resolved,

    Ignored,
}
