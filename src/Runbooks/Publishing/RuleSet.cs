using Runbooks.Catalog;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Notifications;
using Runbooks.Storage;

namespace Runbooks.Publishing;

/// <summary>What a host goes by: its runbooks with the text files beside them, who is asked, and the maintenance windows.</summary>
public sealed record RuleSet(IReadOnlyList<RunbookFile> Runbooks, RunbookFile? Contacts, RunbookFile? Windows)
{
    /// <summary>No file of a rule set is near this size; something else was put there by mistake.</summary>
    public const int MostFileBytes = 1024 * 1024;

    /// <summary>How it came to be in force; null for plain files.</summary>
    public Publication? Publication { get; private init; }

    /// <summary>The publication of which only what has no errors is in force; null where everything is.</summary>
    public Publication? PartOf { get; private init; }

    /// <summary>The calendars that stand beside the contacts, by name.</summary>
    public IReadOnlyDictionary<string, string> Calendars { get; init; } = new Dictionary<string, string>();

    public RuleSet As(Publication publication) => this with { Publication = publication, Runbooks = [.. Runbooks.Select(file => file with { Publication = publication })] };

    /// <summary>No publication is in force then; the runbooks still say from which they are.</summary>
    public RuleSet InPart() => this with { Publication = null, PartOf = Publication };

    /// <param name="files">By their path from the root of the set.</param>
    public static RuleSet Of(IReadOnlyList<RunbookFile> files)
    {
        var samples = files.Where(file => SampleFolder.IsSample(file.Name)).OrderBy(file => file.Name, StringComparer.Ordinal).Take(SampleFolder.MostFiles).ToDictionary(file => file.Name, file => file.Text, StringComparer.Ordinal);
        return new(
            [.. files.Where(file => IsRunbook(file.Name)).OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => file with { Samples = samples })],
            files.FirstOrDefault(file => file.Name == ContactsFile.FileName),
            files.FirstOrDefault(file => file.Name == MaintenanceFile.FileName))
        {
            Calendars = files.Where(file => IsCalendar(file.Name)).ToDictionary(file => file.Name, file => file.Text, StringComparer.Ordinal),
        };
    }

    /// <summary>Whether it is a calendar that contacts may name.</summary>
    public static bool IsCalendar(string name) => name.EndsWith(".ics", StringComparison.OrdinalIgnoreCase) && !name.Contains('/', StringComparison.Ordinal);

    /// <summary>Whether it may be part of a set; other files that lie there are left alone.</summary>
    public static bool Takes(string name) => IsRunbook(name) || IsCalendar(name) || SampleFolder.IsSample(name) || name is ContactsFile.FileName or MaintenanceFile.FileName;

    /// <summary>Whether a file is a runbook, rather than the tests that stand beside one, the contacts or the maintenance windows.</summary>
    public static bool IsRunbook(string name) =>
        (name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".yml", StringComparison.OrdinalIgnoreCase))
        && !name.EndsWith(".test.yaml", StringComparison.OrdinalIgnoreCase) && name is not (ContactsFile.FileName or MaintenanceFile.FileName);
}
