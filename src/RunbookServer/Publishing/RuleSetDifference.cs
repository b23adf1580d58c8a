using Runbooks.Catalog;
using Runbooks.Catalog.Reading;
using Runbooks.Guardrails;
using Runbooks.Notifications;
using Runbooks.Publishing;

namespace RunbookServer.Publishing;

/// <summary>What one set changes against another, a line each.</summary>
internal static class RuleSetDifference
{
    /// <param name="before">Null where nothing was in force.</param>
    public static IReadOnlyList<string> Of(RuleSet? before, RuleSet after, RunbookReader reader)
    {
        var (old, now) = (Versions(before, reader), Versions(after, reader));
        return
        [
            .. now.Where(one => !old.ContainsKey(one.Key)).Select(one => $"added    {one.Key}  {one.Value}"),
            .. now.Where(one => old.TryGetValue(one.Key, out var version) && version != one.Value).Select(one => $"changed  {one.Key}  {old[one.Key]} -> {one.Value}"),
            .. old.Keys.Where(id => !now.ContainsKey(id)).Select(id => $"removed  {id}  (alerts that name it reach nobody, and page the fallback)"),
            .. File(ContactsFile.FileName, before?.Contacts?.Text, after.Contacts?.Text),
            .. File(MaintenanceFile.FileName, before?.Windows?.Text, after.Windows?.Text),
            .. (before?.Teams ?? []).Concat(after.Teams).Select(team => team.Folder).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).SelectMany(folder => Team(folder, Of(before, folder), Of(after, folder))),
            .. after.Calendars.Keys.Union(before?.Calendars.Keys ?? []).Order(StringComparer.Ordinal).SelectMany(name => File(name, before?.Calendars.GetValueOrDefault(name), after.Calendars.GetValueOrDefault(name))),
        ];
    }

    private static TeamFiles? Of(RuleSet? set, string folder) => set?.Teams.FirstOrDefault(team => team.Folder == folder);

    private static IEnumerable<string> Team(string folder, TeamFiles? before, TeamFiles? after) =>
        [.. File($"{folder}/{TeamFile.FileName}", before?.File.Text, after?.File.Text), .. File($"{folder}/{ContactsFile.FileName}", before?.Contacts?.Text, after?.Contacts?.Text)];

    /// <summary>By id, or by the name of a file that cannot be read here.</summary>
    private static SortedDictionary<string, string> Versions(RuleSet? set, RunbookReader reader)
    {
        var versions = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in set?.Runbooks ?? [])
        {
            var team = file.Team is { } files ? TeamFile.Read(files).Team : null;
            var runbook = file.Team is not null && team is null ? null : reader.Read(file.Name, file.Text, samples: file.Samples, team: team).Runbook;
            versions[runbook?.Id ?? file.Name] = runbook is null ? "with errors" : runbook.Hash[..12];
        }

        return versions;
    }

    private static IEnumerable<string> File(string name, string? before, string? after) => (before, after) switch
    {
        (null, not null) => [$"added    {name}"],
        (not null, null) => [$"removed  {name}"],
        var (old, now) when old != now => [$"changed  {name}"],
        _ => [],
    };
}
