namespace Runbooks.Catalog.Reading;

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
            errors.AtValue(
                path, $"names '{Clip.To(name, 80)}', and the contacts have nobody of that name.",
                $"{Suggestion.For(name, contacts.Names)}Add it under 'contacts' in the contacts file.");
        }
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
