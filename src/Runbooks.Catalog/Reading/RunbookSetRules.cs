using Runbooks.Catalog.Matching;
using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Reading;

/// <summary>The other runbook has to exist, and must not wait for this one in turn.</summary>
internal static class SuppressionRules
{
    private const string Key = "suppressedBy.runbook";

    /// <param name="files">Every runbook that could be read.</param>
    /// <param name="whole">If these are not all files, a missing id is not reported.</param>
    public static IEnumerable<CatalogError> Check(IReadOnlyList<(string File, ReadResult Result)> files, bool whole)
    {
        var others = files
            .Where(file => file.Result.Runbook is not null)
            .GroupBy(file => file.Result.Runbook!.Id, StringComparer.Ordinal)
            .ToDictionary(same => same.Key, same => same.First().Result.Runbook!.SuppressedBy?.Runbook, StringComparer.Ordinal);
        foreach (var (file, result) in files)
        {
            if (result.Runbook is not { SuppressedBy.Runbook: var other } runbook)
            {
                continue;
            }

            if (!others.ContainsKey(other))
            {
                if (whole)
                {
                    yield return Error(
                        file,
                        result.SuppressedByAt,
                        $"names '{Clip.To(other, 80)}', and no runbook has that id.",
                        $"{Suggestion.For(other, others.Keys.Where(id => id != runbook.Id))}Name the id of a runbook.");
                }
            }
            else if (CycleOf(runbook.Id, others) is { } cycle)
            {
                yield return Error(
                    file,
                    result.SuppressedByAt,
                    $"closes a circle: {string.Join(", ", cycle.Zip(cycle.Skip(1), (one, next) => $"'{one}' waits for '{next}'"))}.",
                    "Remove 'suppressedBy' from one of them; the one that stands for the cause waits for none.");
            }
        }
    }

    /// <returns>From this id to itself. Null for none.</returns>
    private static List<string>? CycleOf(string id, Dictionary<string, string?> others)
    {
        List<string> way = [id];
        for (var next = others[id]; next is not null && way.Count <= others.Count; next = others.GetValueOrDefault(next))
        {
            way.Add(next);
            if (next == id)
            {
                return way;
            }
        }

        return null;
    }

    private static CatalogError Error(string file, Position at, string problem, string remedy) =>
        new(file, at.Line, at.Column, Key, problem, remedy);
}

/// <summary>Two runbooks that one alert starts make two incidents and two questions about one fault.</summary>
internal static class TriggerOverlap
{
    /// <summary>Replaces a pattern's <c>*</c>. No rule has it in its name.</summary>
    private const char Anything = '\uE000';

    /// <param name="files">Every runbook that could be read.</param>
    public static IEnumerable<CatalogError> Check(IReadOnlyList<(string File, ReadResult Result)> files)
    {
        var read = files
            .Where(file => file.Result.Runbook is not null)
            .OrderBy(file => file.Result.Runbook!.Id, StringComparer.Ordinal)
            .ToList();
        foreach (var (file, result) in read)
        {
            var runbook = result.Runbook!;
            for (var index = 0; index < runbook.Trigger.Count; index++)
            {
                var (narrow, at) = (runbook.Trigger[index], result.TriggersAt[index]);
                var wider = read.Select(other => other.Result.Runbook!).FirstOrDefault(other => IsShadowed(runbook, narrow, other));
                var warning = wider is null ? null : new CatalogError(
                    file,
                    at.Line,
                    at.Column,
                    $"trigger[{index}].alert",
                    $"'{narrow.Alert}' also starts '{wider.Id}', whose trigger is as wide or wider: one alert makes two incidents.",
                    "Make one of the triggers narrower, or let the other runbook cover this one with 'suppressedBy'.") { Code = WarningCodes.TriggerOverlap };
                if (warning is not null && !result.Allowances!.Allows(warning))
                {
                    yield return warning;
                }
            }
        }
    }

    public static bool Covers(Trigger wide, Trigger narrow) =>
        (wide.Source is null || string.Equals(wide.Source, narrow.Source, StringComparison.OrdinalIgnoreCase))
        && IsWithin(wide.Alert, narrow.Alert)
        && (wide.Severity.Count == 0 || (narrow.Severity.Count > 0 && narrow.Severity.All(severity => wide.Severity.Contains(severity, StringComparer.OrdinalIgnoreCase))))
        && wide.Labels.All(label => narrow.Labels.TryGetValue(label.Key, out var value) && IsWithin(label.Value, value));

    /// <summary>If two are equally wide, only the second is reported. Manual triggers never overlap, because a person names the runbook.</summary>
    private static bool IsShadowed(Runbook runbook, Trigger narrow, Runbook other) =>
        narrow.Source != AlertSource.Manual && other.Id != runbook.Id && other.SuppressedBy?.Runbook != runbook.Id && runbook.SuppressedBy?.Runbook != other.Id
        && other.Trigger.Any(wide => Covers(wide, narrow) && (!Covers(narrow, wide) || string.CompareOrdinal(other.Id, runbook.Id) < 0));

    /// <summary>Tries the wildcards of the narrow pattern as nothing and as text that no pattern contains.</summary>
    private static bool IsWithin(string wide, string narrow) =>
        Glob.IsMatch(Compared(wide), Compared(narrow).Replace("*", "", StringComparison.Ordinal).Replace('?', Anything))
        && Glob.IsMatch(Compared(wide), Compared(narrow).Replace("*", new string(Anything, 3), StringComparison.Ordinal).Replace('?', Anything));

    private static string Compared(string pattern) => ComparedText.Of(pattern);
}

/// <summary>Everybody whom a runbook asks has to be in the contacts.</summary>
internal sealed class ContactRules(KnownContacts contacts, StepCatalog steps, FileErrors errors)
{
    public void Check(Runbook runbook)
    {
        Check("reportTo", runbook.ReportTo);
        Check("mitigation.approval", runbook.Mitigation.Approval, runbook);
        Check("resolution.approval", runbook.Resolution.Approval, runbook);
        foreach (var (phase, step) in runbook.AllSteps())
        {
            foreach (var (path, name) in steps.FindAction(step.Do) is { } action ? ContactNameAttribute.NamesIn(step.With, action.ParametersType) : [])
            {
                Check($"{SafetyRules.PathOf(phase, step)}.with.{path}", name);
            }
        }

        if (runbook.Mitigation.Approval is { OwnerRequired: true } || runbook.Resolution.Approval is { OwnerRequired: true })
        {
            Check("owner", [runbook.Owner]);
        }
    }

    private void Check(string path, Approval? approval, Runbook runbook)
    {
        if (approval is null)
        {
            return;
        }

        var asked = approval.From.Concat(approval.Escalate.SelectMany(escalation => escalation.To));
        var isUnheard = asked.All(name => contacts.Unheard.Contains(name, StringComparer.OrdinalIgnoreCase));
        if (approval.OnTimeout == OnTimeout.ProceedIfReversible && isUnheard)
        {
            errors.Warn(
                WarningCodes.SilenceUnheard,
                $"{path}.onTimeout",
                "takes silence for a yes, but everybody who is asked is told by a channel that does not say whether a message arrived: "
                + "their silence never counts, and nothing runs.",
                "Put a channel that says so, such as slack, pagerduty or email, before it in 'reach' of one of them, or use abort or "
                + "escalate.");
        }

        CheckEnough(path, approval, runbook);
        Check($"{path}.from", approval.From);
        for (var index = 0; index < approval.Escalate.Count; index++)
        {
            Check($"{path}.escalate[{index}].to", approval.Escalate[index].To);
        }
    }

    /// <summary>If everybody who may ever be asked, the fallback included, is too few, the approval can never be reached.</summary>
    private void CheckEnough(string path, Approval approval, Runbook runbook)
    {
        var owner = approval.OwnerRequired ? [runbook.Owner] : Array.Empty<string>();
        var fallback = contacts.Names.Contains(runbook.Fallback, StringComparer.OrdinalIgnoreCase)
            ? [runbook.Fallback]
            : Array.Empty<string>();
        var asked = approval.From
            .Concat(approval.Escalate.SelectMany(escalation => escalation.To))
            .Concat(owner)
            .Concat(fallback)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .ToList();
        if (asked.TrueForAll(contacts.People.ContainsKey)
            && asked.SelectMany(name => contacts.People[name]).Distinct(StringComparer.OrdinalIgnoreCase).ToList() is var people
            && people.Count < approval.Required)
        {
            errors.AtValue(
                $"{path}.required",
                $"needs {approval.Required} {(approval.Required == 1 ? "person" : "people")}, and behind {string.Join(", ", asked)} "
                + $"there {(people.Count switch { 0 => "is", 1 => "is only", _ => "are only" })} "
                + $"{(people.Count == 0 ? "nobody" : string.Join(", ", people))}.",
                "Put more people behind them in the contacts file, ask others as well, or ask for fewer.");
        }
    }

    private void Check(string path, IReadOnlyList<string> names)
    {
        foreach (var (name, index) in names.Select((name, index) => (name, index)))
        {
            Check(names.Count > 1 ? $"{path}[{index}]" : path, name);
        }
    }

    private void Check(string path, string name)
    {
        if (!contacts.Names.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            errors.AtValue(path, $"names '{Clip.To(name, 80)}', and the contacts have nobody of that name.", RemedyFor(name));
        }
    }

    private string RemedyFor(string name)
    {
        if (name.Split([',', ';'], StringSplitOptions.TrimEntries) is { Length: > 1 } several
            && Array.TrueForAll(several, part => contacts.Names.Contains(part, StringComparer.OrdinalIgnoreCase)))
        {
            return $"Write a list: [{string.Join(", ", several)}].";
        }

        // Whoever looks into the file finds the name there.
        return contacts.People.Values.Any(people => people.Contains(name, StringComparer.OrdinalIgnoreCase))
            ? $"It is a person's: name a contact that they are behind, or add '{name}: [{name}]' under 'contacts' in the contacts file."
            : $"{Suggestion.For(name, contacts.Names)}Add it under 'contacts' in the contacts file.";
    }
}

/// <param name="Names">The names of the contacts.</param>
public sealed record KnownContacts(IReadOnlyCollection<string> Names)
{
    /// <summary>Reached only by channels that never report arrival, so their silence never counts.</summary>
    public IReadOnlyCollection<string> Unheard { get; init; } = [];

    /// <summary>The people of each contact, without contacts whose people the file does not know, such as a schedule.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> People { get; init; } = new Dictionary<string, IReadOnlyList<string>>();
}
