using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Matching;

/// <summary>Finds the runbooks for an alert. The same alert and the same runbooks, in whatever order, give the same answer.</summary>
public static class RunbookMatcher
{
    /// <summary>Characters of the alert's own text that a reason repeats.</summary>
    internal const int Quoted = 100;

    private const int Listed = 5;

    /// <summary>
    /// The runbook that the alert names, and only that; otherwise every runbook with a trigger that fits. A named runbook
    /// that is not loaded is not replaced by one that merely fits: the sender meant another.
    /// </summary>
    public static RunbookMatch Match(Alert alert, IReadOnlyCollection<Runbook> runbooks) =>
        alert.Runbook is { } named ? ByName(named, runbooks) : ByTrigger(alert, runbooks);

    /// <summary>What keeps each trigger of one runbook from fitting, the nearest miss first.</summary>
    /// <returns>One line a trigger, in words; empty when the runbook applies.</returns>
    public static IReadOnlyList<string> Misses(Alert alert, Runbook runbook)
    {
        if (Match(alert, [runbook]).Runbooks.Count > 0)
        {
            return [];
        }

        return alert.Runbook is { } named
            ? [$"the alert names the runbook '{named}', and only that one gets it"]
            : [.. runbook.Trigger
                .Select(trigger => (Trigger: trigger, Fit: TriggerFit.Of(trigger, alert)))
                .OrderByDescending(one => one.Fit.Passed)
                .Select(one => $"{one.Trigger.Alert}{(one.Trigger.Source is { } source ? $" from {source}" : "")}: {one.Fit.Mismatch}")];
    }

    private static RunbookMatch ByName(string named, IReadOnlyCollection<Runbook> runbooks) =>
        runbooks.FirstOrDefault(runbook => runbook.Id == named) is { } found
            ? new([found], null)
            : new([], $"The alert names the runbook '{named}', which is not loaded. {Suggestion.For(named, runbooks.Select(runbook => runbook.Id))}{Loaded(runbooks)}");

    private static RunbookMatch ByTrigger(Alert alert, IReadOnlyCollection<Runbook> runbooks)
    {
        var fits = runbooks
            .SelectMany(runbook => runbook.Trigger.Select(trigger => (Runbook: runbook, Fit: TriggerFit.Of(trigger, alert))))
            .OrderBy(one => one.Runbook.Id, StringComparer.Ordinal)
            .ToList();
        var matching = fits
            .Where(one => one.Fit.Mismatch is null)
            .OrderByDescending(one => one.Fit.Specificity)
            .Select(one => one.Runbook)
            .DistinctBy(runbook => runbook.Id)
            .ToList();
        return new(matching, matching.Count > 0 ? null : NoneFits(alert, fits, runbooks));
    }

    private static string NoneFits(Alert alert, List<(Runbook Runbook, TriggerFit Fit)> fits, IReadOnlyCollection<Runbook> runbooks)
    {
        var none = $"No runbook is triggered by '{Clip.To(alert.Name, Quoted)}' from {alert.Source}.";

        // A trigger that knows the alert's name is worth telling about; one for another alert is not.
        var (nearest, fit) = fits.Where(one => one.Fit.Passed > 0).OrderByDescending(one => one.Fit.Passed).FirstOrDefault();
        return nearest is null ? $"{none} {Loaded(runbooks)}" : $"{none} The nearest is '{nearest.Id}': {fit.Mismatch}.";
    }

    private static string Loaded(IReadOnlyCollection<Runbook> runbooks)
    {
        var ids = runbooks.Select(runbook => runbook.Id).Order(StringComparer.Ordinal).ToList();
        var more = ids.Count > Listed ? $" and {ids.Count - Listed} more" : "";
        return ids.Count == 0 ? "No runbooks are loaded." : $"Loaded: {string.Join(", ", ids.Take(Listed))}{more}.";
    }
}
