namespace Runbooks.Catalog.Reading;

/// <summary>Whoever a runbook asks has to be somebody whom the contacts name.</summary>
internal sealed class ContactRules(KnownContacts contacts, StepCatalog steps, FileErrors errors)
{
    public void Check(Runbook runbook)
    {
        Check("reportTo", runbook.ReportTo);
        Check("mitigation.approval", runbook.Mitigation.Approval);
        Check("resolution.approval", runbook.Resolution.Approval);
        foreach (var (phase, step) in new[] { Phase.Mitigation, Phase.Resolution }.SelectMany(phase => runbook.StepsOf(phase).Select(step => (phase, step))))
        {
            foreach (var (path, name) in steps.FindAction(step.Do) is { } action ? ContactNameAttribute.NamesIn(step.With, action.ParametersType) : [])
            {
                Check($"{CamelCase.Of(phase)}.steps.{step.Name}.with.{path}", name);
            }
        }

        if (runbook.Mitigation.Approval is { OwnerRequired: true } || runbook.Resolution.Approval is { OwnerRequired: true })
        {
            // An approval needs somebody of theirs.
            Check("owner", [runbook.Owner]);
        }
    }

    private void Check(string path, Approval? approval)
    {
        if (approval is null)
        {
            return;
        }

        if (approval.OnTimeout == OnTimeout.ProceedIfReversible && approval.From.Concat(approval.Escalate.SelectMany(escalation => escalation.To)).All(name => contacts.Unheard.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            errors.Warn(
                WarningCodes.SilenceUnheard, $"{path}.onTimeout", "takes silence for a yes, but everybody who is asked is told by a channel that does not say whether a message arrived: their silence never counts, and nothing runs.",
                "Put a channel that says so, such as slack, pagerduty or email, before it in 'reach' of one of them, or use abort or escalate.");
        }

        Check($"{path}.from", approval.From);
        for (var index = 0; index < approval.Escalate.Count; index++)
        {
            Check($"{path}.escalate[{index}].to", approval.Escalate[index].To);
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

/// <summary>What a runbook's rules have to know of the contacts.</summary>
/// <param name="Names">Whom they name.</param>
public sealed record KnownContacts(IReadOnlyCollection<string> Names)
{
    /// <summary>Those who are told by channels alone that never say whether a message arrived: no silence of theirs counts.</summary>
    public IReadOnlyCollection<string> Unheard { get; init; } = [];
}
