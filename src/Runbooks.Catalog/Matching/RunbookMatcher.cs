using System.Text;
using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Matching;

/// <summary>Finds the runbooks for an alert. The order of the runbooks does not matter.</summary>
public static class RunbookMatcher
{
    /// <summary>Characters of the alert's own text that a reason repeats.</summary>
    internal const int Quoted = 100;

    private const int Listed = 5;

    /// <summary>
    /// The runbook that the alert names, and only that. Otherwise every runbook with a matching trigger. A named runbook that is not loaded
    /// is never replaced by a matching one, because the sender meant another.
    /// </summary>
    public static RunbookMatch Match(Alert alert, IReadOnlyCollection<Runbook> runbooks) =>
        alert.Runbook is { } named ? ByName(named, runbooks) : ByTrigger(alert, runbooks);

    public static bool WaitsFor(Runbook runbook, string alert) => runbook.Trigger.Any(trigger => TriggerMatch.Names(trigger, alert));

    /// <summary>Why each trigger of one runbook does not fit, the nearest miss first.</summary>
    /// <returns>Empty if the runbook applies.</returns>
    public static IReadOnlyList<string> Misses(Alert alert, Runbook runbook)
    {
        if (Match(alert, [runbook]).Runbooks.Count > 0)
        {
            return [];
        }

        return alert.Runbook is { } named
            ? [$"the alert names the runbook '{named}', and only that one gets it"]
            : [.. runbook.Trigger
                .Select(trigger => (Trigger: trigger, Fit: TriggerMatch.Of(trigger, alert)))
                .OrderByDescending(one => one.Fit.Passed)
                .Select(one => $"{one.Trigger.Alert}{(one.Trigger.Source is { } source ? $" from {source}" : "")}: {one.Fit.Mismatch}")];
    }

    private static RunbookMatch ByName(string named, IReadOnlyCollection<Runbook> runbooks) =>
        runbooks.FirstOrDefault(runbook => runbook.Id == named) is { } found
            ? new([found], null)
            : new(
                [],
                $"The alert names the runbook '{named}', which is not loaded. "
                + $"{Suggestion.For(named, runbooks.Select(runbook => runbook.Id))}{Loaded(runbooks)}");

    private static RunbookMatch ByTrigger(Alert alert, IReadOnlyCollection<Runbook> runbooks)
    {
        var fits = runbooks
            .SelectMany(runbook => runbook.Trigger.Select(trigger => (Runbook: runbook, Fit: TriggerMatch.Of(trigger, alert))))
            .ToList();
        var matching = fits
            .Where(one => one.Fit.Mismatch is null)
            .OrderByDescending(one => one.Fit.Specificity)
            .ThenBy(one => one.Runbook.Id, StringComparer.Ordinal)
            .Select(one => one.Runbook)
            .DistinctBy(runbook => runbook.Id)
            .ToList();
        return new(matching, matching.Count > 0 ? null : NoneFits(alert, fits, runbooks));
    }

    private static string NoneFits(Alert alert, List<(Runbook Runbook, TriggerMatch Fit)> fits, IReadOnlyCollection<Runbook> runbooks)
    {
        var none = $"No runbook is triggered by '{Clip.To(alert.Name, Quoted)}' from {alert.Source}.";

        // Only a trigger that fits the alert's name is worth telling about.
        var (nearest, fit) = fits.Where(one => one.Fit.Passed > 0).OrderByDescending(one => one.Fit.Passed).ThenBy(one => one.Runbook.Id, StringComparer.Ordinal).FirstOrDefault();
        return nearest is null ? $"{none} {Loaded(runbooks)}" : $"{none} The nearest is '{nearest.Id}': {fit.Mismatch}.";
    }

    private static string Loaded(IReadOnlyCollection<Runbook> runbooks)
    {
        var ids = runbooks.Select(runbook => runbook.Id).Order(StringComparer.Ordinal).ToList();
        return ids.Count == 0 ? "No runbooks are loaded." : $"Loaded: {CountText.Names(ids, Listed)}.";
    }
}

/// <summary>The runbooks for an alert, the most specific first. If there are none, <see cref="Reason"/> says why.</summary>
public sealed record RunbookMatch(IReadOnlyList<Runbook> Runbooks, string? Reason);

/// <param name="Mismatch">The first part that does not fit, in words. Null if the trigger fits.</param>
/// <param name="Passed">The nearest miss has the most.</param>
internal sealed record TriggerMatch(Specificity Specificity, string? Mismatch, int Passed)
{
    public static TriggerMatch Of(Trigger trigger, Alert alert)
    {
        var passed = 0;
        foreach (var mismatch in Mismatches(trigger, alert))
        {
            if (mismatch is not null)
            {
                return new(default, mismatch, passed);
            }

            passed++;
        }

        return new(Specificity.Of(trigger), null, passed);
    }

    /// <summary>Lazy: parts after the first mismatch are not computed.</summary>
    private static IEnumerable<string?> Mismatches(Trigger trigger, Alert alert)
    {
        yield return Name(trigger, alert);
        yield return Source(trigger, alert);
        yield return Severity(trigger, alert);
        foreach (var label in trigger.Labels)
        {
            yield return Label(label, alert);
        }
    }

    public static bool Names(Trigger trigger, string alert) => Fits(trigger.Alert, alert);

    private static string? Name(Trigger trigger, Alert alert) =>
        Names(trigger, (alert.AsSent ?? alert).Name) ? null : $"it waits for the alert '{trigger.Alert}'";

    private static string? Source(Trigger trigger, Alert alert) =>
        trigger.Source is null || trigger.Source.Equals(alert.Source, StringComparison.OrdinalIgnoreCase) ? null : $"it listens to {trigger.Source}";

    private static string? Severity(Trigger trigger, Alert alert) =>
        trigger.Severity.Count == 0 || trigger.Severity.Contains(alert.Severity, StringComparer.OrdinalIgnoreCase)
            ? null
            : $"it wants the severity {string.Join(" or ", trigger.Severity)}, the alert has "
                + $"{(alert.Severity is { } severity ? $"'{severity}'" : "none")}";

    private static string? Label(KeyValuePair<string, string> wanted, Alert alert)
    {
        if (Value(wanted.Key, alert) is not { } value)
        {
            return $"it wants the label {wanted.Key}, the alert has none";
        }

        var sent = Value(wanted.Key, alert.AsSent ?? alert) ?? value;
        return Fits(wanted.Value, sent, wanted.Key)
            ? null
            : $"it wants {wanted.Key}={wanted.Value}, the alert has '{Clip.To(value, RunbookMatcher.Quoted)}'";
    }

    /// <summary>
    /// Compares with the text that the sender wrote, which is never shown. On record a part of it may be hidden, so only the rest is
    /// compared.
    /// </summary>
    private static bool Fits(string wanted, string sent, string? label = null) =>
        Matches(wanted, sent)
        || (sent.Contains(Redactor.Hidden, StringComparison.Ordinal) && Matches(label is null ? Redactor.Redact(wanted) : AlertSecrets.Hide(label, wanted), sent));

    /// <summary>Letters that were composed differently are the same.</summary>
    private static bool Matches(string pattern, string text) => Glob.IsMatch(ComparedText.Of(pattern), ComparedText.Of(text));

    private static string? Value(string name, Alert alert)
    {
        if (alert.Labels.TryGetValue(name, out var value))
        {
            return value;
        }

        var compared = ComparedText.Of(name);
        return Ascii.IsValid(name) ? null : alert.Labels.FirstOrDefault(label => ComparedText.Of(label.Key) == compared).Value;
    }
}

/// <summary>Orders triggers: an exact name before a glob, a longer glob before a shorter one, then more labels, severity, source.</summary>
internal readonly record struct Specificity(
    bool ExactName, int NameWeight, int ExactLabels, int Labels, bool Severity, bool Source) : IComparable<Specificity>
{
    public static Specificity Of(Trigger trigger) => new(
        Glob.IsExact(trigger.Alert),
        Glob.IsExact(trigger.Alert) ? 0 : Glob.Weight(trigger.Alert),
        trigger.Labels.Values.Count(Glob.IsExact),
        trigger.Labels.Count,
        trigger.Severity.Count > 0,
        trigger.Source is not null);

    public int CompareTo(Specificity other) =>
        (ExactName, NameWeight, ExactLabels, Labels, Severity, Source).CompareTo(
            (other.ExactName, other.NameWeight, other.ExactLabels, other.Labels, other.Severity, other.Source));
}

/// <summary>Text for comparison: composed letters (Unicode's form C), and ordinary spaces instead of look-alikes.</summary>
internal static class ComparedText
{
    public static string Of(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        return ComposedText.Of(text.Replace('\u00A0', ' ').Replace('\u202F', ' ').Replace('\u2007', ' ').Replace('\u3000', ' '));
    }
}
