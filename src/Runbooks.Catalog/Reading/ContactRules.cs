using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Reading;

/// <summary>Whoever a runbook asks has to be somebody whom the contacts name.</summary>
internal sealed class ContactRules(IReadOnlyCollection<string> contacts, FileErrors errors)
{
    public void Check(Runbook runbook)
    {
        Check("mitigation.approval", runbook.Mitigation.Approval);
        Check("resolution.approval", runbook.Resolution.Approval);
    }

    private void Check(string path, Approval? approval)
    {
        if (approval is null)
        {
            return;
        }

        Check($"{path}.from", approval.From);
        for (var index = 0; index < approval.Escalate.Count; index++)
        {
            Check($"{path}.escalate[{index}].to", approval.Escalate[index].To);
        }
    }

    private void Check(string path, IReadOnlyList<string> names)
    {
        foreach (var (name, index) in names.Select((name, index) => (name, index)).Where(pair => !contacts.Contains(pair.name, StringComparer.OrdinalIgnoreCase)))
        {
            errors.AtValue(
                names.Count > 1 ? $"{path}[{index}]" : path, $"names '{Clip.To(name, 80)}', and the contacts have nobody of that name.",
                $"{Suggestion.For(name, contacts)}Add it under 'contacts' in the contacts file.");
        }
    }
}
