namespace Runbooks.Publishing;

/// <summary>The files that a host works with.</summary>
public sealed record RuleSet(IReadOnlyList<RunbookFile> Runbooks, RunbookFile? Contacts, RunbookFile? Windows)
{
    /// <summary>A larger file was put there by mistake.</summary>
    public const int MostFileBytes = 1024 * 1024;

    /// <summary>The publication that the set is from; null for plain files.</summary>
    public Publication? Publication { get; private init; }

    /// <summary>The publication of which only a part is in force, because the rest has errors; null otherwise.</summary>
    public Publication? PartOf { get; private init; }

    public IReadOnlyDictionary<string, string> Calendars { get; init; } = new Dictionary<string, string>();

    public RuleSet As(Publication publication) => this with
    {
        Publication = publication,
        Runbooks = [.. Runbooks.Select(file => file with { Publication = publication })],
    };

    /// <summary>No publication counts as in force then. The runbooks keep the one that they are from.</summary>
    public RuleSet InPart() => this with { Publication = null, PartOf = Publication };

    public IReadOnlyList<TeamFiles> Teams { get; init; } = [];

    public ContactFiles People => new(Contacts, Teams);

    /// <summary>
    /// The runbooks of a team wait while its contacts in force are not those of the set, since their names would mean somebody else.
    /// </summary>
    public RuleSet ReadWith(ContactFiles inForce)
    {
        var teams = Teams.ToDictionary(
            team => team.Folder, team => IsTeamInForce(team.Folder, inForce) ? team : Waiting(team), StringComparer.Ordinal);
        var runbooks = Runbooks.Select(file => file.Team is { } team ? file with { Team = teams[team.Folder] } : file);
        return this with { Teams = [.. teams.Values], Runbooks = [.. runbooks] };
    }

    private static TeamFiles Waiting(TeamFiles team) => team with
    {
        Waits = new(
            (team.Contacts ?? team.File).Name,
            1,
            1,
            "",
            "The team's contacts as they are now are not in force, so its runbooks stay as they were too.",
            "Mend what is wrong with them, or with what another contacts file says of the same people."),
    };

    /// <summary>The set's calendars where its contacts are in force, and otherwise the earlier ones.</summary>
    public IReadOnlyDictionary<string, string> CalendarsOf(ContactFiles inForce, IReadOnlyDictionary<string, string> before)
    {
        var own = Calendars.Where(calendar => IsInForce(calendar) || !before.ContainsKey(calendar.Key));
        var earlier = before.Where(calendar => !IsInForce(calendar));
        return own.Concat(earlier).ToDictionary(StringComparer.Ordinal);

        bool IsInForce(KeyValuePair<string, string> calendar) => FolderOf(calendar.Key) is { Length: > 0 } team
            ? IsTeamInForce(team, inForce)
            : inForce.IsCommonApart || Contacts?.Text == inForce.Common?.Text;
    }

    private bool IsTeamInForce(string folder, ContactFiles inForce) => People.TextOf(folder) == inForce.TextOf(folder);

    /// <param name="files">By their path from the root of the set.</param>
    public static RuleSet Of(IReadOnlyList<RunbookFile> files)
    {
        var teams = TeamsOf(files);
        var samples = SamplesOf(files, teams.Keys);
        var runbooks = files
            .Where(file => IsRunbook(file.Name, teams.Keys))
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => file with
            {
                Samples = samples.GetValueOrDefault(TeamOf(file.Name, teams.Keys)) ?? file.Samples,
                Team = teams.GetValueOrDefault(FolderOf(file.Name)),
            });
        return new(
            [.. runbooks],
            files.FirstOrDefault(file => file.Name == ContactsFile.FileName),
            files.FirstOrDefault(file => file.Name == MaintenanceFile.FileName))
        {
            Calendars = files
                .Where(file => IsCalendar(file.Name, teams.Keys))
                .ToDictionary(file => file.Name, file => file.Text, StringComparer.Ordinal),
            Teams = [.. teams.Values],
        };
    }

    private static Dictionary<string, TeamFiles> TeamsOf(IReadOnlyList<RunbookFile> files)
    {
        return files
            .Where(file => IsTeam(file.Name))
            .DistinctBy(file => FolderOf(file.Name), StringComparer.Ordinal)
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => new TeamFiles(FolderOf(file.Name), file, ContactsIn(FolderOf(file.Name))))
            .ToDictionary(team => team.Folder, StringComparer.Ordinal);

        RunbookFile? ContactsIn(string folder) => files.FirstOrDefault(file => file.Name == $"{folder}/{ContactsFile.FileName}");
    }

    private static Dictionary<string, Dictionary<string, string>> SamplesOf(IEnumerable<RunbookFile> files, ICollection<string> teams) => files
        .Select(file => (Team: TeamOf(file.Name, teams), Name: InTeam(file.Name, teams), file.Text))
        .Where(file => SampleFolder.IsSample(file.Name))
        .GroupBy(file => file.Team, StringComparer.Ordinal)
        .ToDictionary(
            team => team.Key,
            team => team
                .OrderBy(file => file.Name, StringComparer.Ordinal)
                .Take(SampleFolder.MostFiles)
                .ToDictionary(file => file.Name, file => file.Text, StringComparer.Ordinal),
            StringComparer.Ordinal);

    /// <summary>The files that may be part of a set. Others in the same place are ignored.</summary>
    /// <param name="names">By their path from the root of the set.</param>
    public static IReadOnlyList<string> Among(IReadOnlyCollection<string> names)
    {
        var teams = TeamsAmong(names);
        return [.. names.Where(name =>
            IsRunbook(name, teams)
            || IsTeam(name)
            || IsCalendar(name, teams)
            || SampleFolder.IsSample(InTeam(name, teams))
            || InTeam(name, teams) == ContactsFile.FileName
            || name == MaintenanceFile.FileName)];
    }

    public static IReadOnlyList<string> RunbooksAmong(IReadOnlyCollection<string> names)
    {
        var teams = TeamsAmong(names);
        return [.. names.Where(name => IsRunbook(name, teams))];
    }

    private static HashSet<string> TeamsAmong(IEnumerable<string> names) =>
        names.Where(IsTeam).Select(FolderOf).ToHashSet(StringComparer.Ordinal);

    /// <summary>Whether it makes its folder a team's, in any case of letters: a wrong case is an error and must not be ignored.</summary>
    public static bool IsTeam(string name) =>
        name.Split('/') is [{ Length: > 0 }, var file] && string.Equals(file, TeamFile.FileName, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is a calendar that contacts may name.</summary>
    public static bool IsCalendar(string name) =>
        name.EndsWith(".ics", StringComparison.OrdinalIgnoreCase) && !name.Contains('/', StringComparison.Ordinal);

    /// <summary>
    /// Whether a file is a runbook, and not a test, the contacts or the maintenance windows. Files in other folders do not count: such a
    /// folder may become a team's once its <c>team.yaml</c> is there.
    /// </summary>
    public static bool IsRunbook(string name) =>
        !name.Contains('/', StringComparison.Ordinal)
        && (name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".yml", StringComparison.OrdinalIgnoreCase))
        && !name.EndsWith(".test.yaml", StringComparison.OrdinalIgnoreCase)
        && name is not (ContactsFile.FileName or MaintenanceFile.FileName);

    private static bool IsCalendar(string name, ICollection<string> teams) => IsCalendar(InTeam(name, teams));

    /// <summary>
    /// A team's runbooks are directly in its folder; deeper files are tests. Maintenance windows there count as a runbook, so that they are
    /// an error and not ignored.
    /// </summary>
    private static bool IsRunbook(string name, ICollection<string> teams) => InTeam(name, teams) is var own && own == name
        ? IsRunbook(name)
        : (IsRunbook(own) || own == MaintenanceFile.FileName) && !IsTeam(name);

    private static string InTeam(string name, ICollection<string> teams) =>
        FolderOf(name) is { Length: > 0 } folder && teams.Contains(folder) ? name[(folder.Length + 1)..] : name;

    private static string FolderOf(string name) => name.IndexOf('/', StringComparison.Ordinal) is > 0 and var end ? name[..end] : "";

    private static string TeamOf(string name, ICollection<string> teams) => teams.Contains(FolderOf(name)) ? FolderOf(name) : "";
}

/// <summary>Reads what was published to a place. Content is checked against its hash, so half a set is never used.</summary>
public sealed class PublishedSets(IRuleSetPlace place)
{
    /// <summary>The files of the last set, by hash, so that only changed files are read.</summary>
    private ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);

    private volatile PlainSet? _plain;

    public string Address => place.Address;

    /// <returns>Null where nothing was published: then the plain files count.</returns>
    /// <exception cref="InvalidDataException">The record of publications is damaged.</exception>
    public async Task<PublicationLog?> FindLogAsync(CancellationToken cancellationToken) =>
        await place.FindAsync(PublicationLog.Name, PublicationLog.MostBytes, cancellationToken) is { } found
            ? PublicationLog.Read(found.Content)
            : null;

    /// <returns>The same object while no file has changed.</returns>
    public async Task<RuleSet> ReadPlainAsync(CancellationToken cancellationToken)
    {
        var files = await place.ReadPlainAsync(cancellationToken);
        if (_plain is { } last && last.Files.SequenceEqual(files))
        {
            return last.Set;
        }

        var set = RuleSet.Of(files);
        _plain = new(files, set);
        return set;
    }

    /// <summary>The contacts of the newest set, not parsed; null where there are none or the set cannot be read.</summary>
    public async Task<ContactFiles?> FindContactsAsync(CancellationToken cancellationToken)
    {
        try
        {
            var log = await FindLogAsync(cancellationToken);
            var set = log is null ? await ReadPlainAsync(cancellationToken) : await ReadAsync(log.Current, cancellationToken);
            return set.People;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <exception cref="InvalidDataException">A part of the set is missing or is not what was published.</exception>
    public async Task<RuleSet> ReadAsync(Publication publication, CancellationToken cancellationToken)
    {
        var written = await ReadAsync(SetManifest.NameOf(publication.Set), SetManifest.MostBytes, cancellationToken);
        var manifest = SetManifest.Read(publication.Set, written);
        var hashes = manifest.Files.Select(file => file.Hash).Distinct(StringComparer.Ordinal).ToList();
        var texts = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        await BoundedConcurrency.ForEachAsync(hashes, Publisher.AtOnce, async hash =>
            texts[hash] = _known.TryGetValue(hash, out var text) ? text : await ReadTextAsync(hash, cancellationToken));
        _known = texts;
        return RuleSet.Of([.. manifest.Files.Select(file => new RunbookFile(file.Name, texts[file.Hash]))]).As(publication);
    }

    private async Task<string> ReadTextAsync(string hash, CancellationToken cancellationToken)
    {
        var content = await ReadAsync($"{SetManifest.FilesFolder}{hash}", RuleSet.MostFileBytes, cancellationToken);
        if (SetManifest.HashOf(content) != hash)
        {
            throw new InvalidDataException($"{SetManifest.FilesFolder}{hash} is not what was published.");
        }

        return Encoding.UTF8.GetString(content);
    }

    private async Task<byte[]> ReadAsync(string name, int most, CancellationToken cancellationToken) =>
        (await place.FindAsync(name, most, cancellationToken))?.Content ?? throw new InvalidDataException($"{name} is missing.");

    private sealed record PlainSet(IReadOnlyList<RunbookFile> Files, RuleSet Set);
}
