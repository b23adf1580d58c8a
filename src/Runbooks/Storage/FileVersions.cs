namespace Runbooks.Storage;

/// <summary>
/// The files of this process, each with what is in force and what is wrong with a newer version. What was in force last is
/// kept in the store, so that a host that starts while a file is broken goes on with it instead of starting without.
/// </summary>
public sealed class FileVersions(ISharedState state, ILogger<FileVersions>? logger = null)
{
    /// <summary>A longer file is not kept, and neither is what was in force before it: a host that starts while it is broken must not go back to that.</summary>
    private const int MaxKept = 256 * 1024;

    private readonly ConcurrentDictionary<string, FileVersion> _known = new(StringComparer.Ordinal);

    public IReadOnlyCollection<KeyValuePair<string, FileVersion>> Known => [.. _known];

    /// <param name="name">What is meant, wherever it lies: <c>windows.yaml</c>.</param>
    /// <param name="text">Now in force; null when there is no such file.</param>
    public void Use(string name, string? text) =>
        _known.AddOrUpdate(name, _ => new(true, text, []), (_, known) => known.IsUsed && known.Text == text ? known with { Errors = [] } : new(true, text, []));

    /// <summary>Nothing is wrong with it in this process, and what is in force is kept elsewhere.</summary>
    public void Forget(string name) => _known.TryRemove(name, out _);

    /// <summary>What was in force stays so.</summary>
    /// <param name="mark">What people are told of once; the errors unless given.</param>
    public void Refuse(string name, IReadOnlyList<string> errors, string? mark = null) =>
        _known.AddOrUpdate(name, _ => new(false, null, errors) { Mark = mark }, (_, known) => known with { Errors = errors, Mark = mark });

    /// <returns>The version that was in force last, on whichever host; null when there was none.</returns>
    public async Task<RunbookFile?> FindLastAsync(string name, CancellationToken cancellationToken) =>
        _known.GetValueOrDefault(name) is { IsUsed: true, Text: { } own } version && (!version.IsSaved || own.Length > MaxKept) ? new(name, own)
        : await state.FindAsync<Kept>(KeyOf(name), cancellationToken) is { Text: { } text } ? new(name, text)
        : null;

    /// <summary>Keeps what is in force, for the next start.</summary>
    public async Task SaveAsync(CancellationToken cancellationToken)
    {
        foreach (var (name, version) in _known)
        {
            if (version is not { IsUsed: true, IsSaved: false })
            {
                continue;
            }

            var text = version.Text;
            if (text?.Length > MaxKept)
            {
                if (logger is not null)
                {
                    Log.FileNotKept(logger, name, MaxKept);
                }

                text = null;
            }

            await state.ChangeAsync<Kept>(KeyOf(name), known => known is not null && known.Text == text ? known : new(text), cancellationToken);
            _known.TryUpdate(name, version with { IsSaved = true }, version);
        }
    }

    private static string KeyOf(string name) => $"files:{name}";

    private sealed record Kept(string? Text);
}

/// <param name="IsUsed">Whether this process has taken over a version.</param>
/// <param name="Text">That version; null when there is no such file.</param>
/// <param name="Errors">What is wrong with the file as it is now; empty when that is in force.</param>
public sealed record FileVersion(bool IsUsed, string? Text, IReadOnlyList<string> Errors)
{
    public bool IsSaved { get; init; }

    /// <summary>The same on every host that refuses the file, where their errors may differ; null where the errors tell.</summary>
    public string? Mark { get; init; }
}

/// <summary>A file and those that belong to it, as one text: they are one version.</summary>
internal static class FilePack
{
    private const char NextFile = '\u001E';

    public static string Pack(string text, IEnumerable<KeyValuePair<string, string>> beside) => Plain(text) + string.Concat(beside
        .OrderBy(file => file.Key, StringComparer.Ordinal)
        .Select(file => $"{NextFile}{Plain(file.Key).Replace('\n', ' ')}\n{Plain(file.Value)}"));

    public static (string Text, Dictionary<string, string> Beside) Unpack(string kept)
    {
        var parts = kept.Split(NextFile);
        var beside = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in parts.Skip(1).Select(part => part.Split('\n', 2)).Where(part => part.Length == 2))
        {
            beside[part[0]] = part[1];
        }

        return (parts[0], beside);
    }

    /// <summary>A comment may hold any character: one that holds the separator must not become a file of its own.</summary>
    private static string Plain(string text) => text.Replace(NextFile, ' ');
}

/// <summary>
/// Loads the runbook files so that every process has the same ones in force: in place of a broken file each takes the version
/// of it that was in force last, which the store keeps, whenever the process started.
/// </summary>
public sealed class RunbookVersions(RunbookCatalog catalog, FileVersions versions)
{
    /// <summary>All runbook files, as people are told of them.</summary>
    internal const string Set = "runbooks";

    /// <summary>As a version keeps the contacts of its team; no text file beside a runbook is called so.</summary>
    private const string TeamContacts = "contacts.yaml";

    /// <returns>What is wrong with the files as they are, and what stays as it was; the catalog has what is in force.</returns>
    public async Task<LoadResult> LoadAsync(IReadOnlyList<RunbookFile> files, CancellationToken cancellationToken)
    {
        var result = catalog.Load(files);
        if (result.Errors.Count == 0)
        {
            Forget();
            Use(files);
            return result;
        }

        versions.Refuse(Set, [.. result.Errors.Select(error => error.ToString())]);
        var broken = result.Errors.Select(error => error.File).ToHashSet(StringComparer.Ordinal);
        var isStart = catalog.Current.Count == 0;
        var (inForce, kept) = (new List<RunbookFile>(), new List<string>());
        foreach (var file in files)
        {
            var last = file.IsAmong(broken) ? await versions.FindLastAsync(KeyOf(file), cancellationToken) : null;
            if (last is not null)
            {
                kept.Add(file.Name);
                inForce.Add(Unpack(file, last.Text));
            }
            else if (!isStart || !file.IsAmong(broken))
            {
                // At a start, one that was never in force must not take its id or anything else from those that were.
                inForce.Add(file);
            }
        }

        broken.UnionWith(kept.Count > 0 ? catalog.Load(inForce, whole: inForce.Count == files.Count).Errors.Select(error => error.File) : []);
        if (catalog.Current.Count > 0)
        {
            Use(files.Where(file => !file.IsAmong(broken)));
        }

        return result with { Kept = result.Kept.Count > 0 ? result.Kept : kept };
    }

    /// <summary>No file is broken, or a publication has taken their place.</summary>
    public void Forget() => versions.Forget(Set);

    /// <summary>The catalog takes over every good file, whatever is wrong with others.</summary>
    private void Use(IEnumerable<RunbookFile> good)
    {
        foreach (var file in good)
        {
            versions.Use(KeyOf(file), Pack(file));
        }
    }

    /// <summary>A runbook together with the text files that it names, and the files of its team.</summary>
    private string Pack(RunbookFile file) => FilePack.Pack(file.Text, (catalog.FindByFile(file.Name)?.Samples ?? file.Samples)
        .Concat(file.Team is { } team ? [new(TeamFile.FileName, team.File.Text), .. team.Contacts is { } own ? [KeyValuePair.Create(TeamContacts, own.Text)] : Array.Empty<KeyValuePair<string, string>>()] : []));

    private static RunbookFile Unpack(RunbookFile file, string kept)
    {
        var (text, beside) = FilePack.Unpack(kept);
        return file with
        {
            Text = text,
            Samples = beside.Where(one => one.Key is not (TeamFile.FileName or TeamContacts)).ToDictionary(StringComparer.Ordinal),

            // Under a name of its own: as the team's file is now it may have errors, and other runbooks may have kept another one.
            Team = file.Team is { } team && beside.TryGetValue(TeamFile.FileName, out var its)
                ? new(team.Folder, new($"{team.File.Name[..^TeamFile.FileName.Length]}{Path.GetFileName(file.Name)}/{TeamFile.FileName}", its), beside.TryGetValue(TeamContacts, out var own) ? new($"{team.Folder}/{TeamContacts}", own) : null)
                : null,
        };
    }

    /// <summary>Processes see the same file under different paths.</summary>
    private static string KeyOf(RunbookFile file) => $"runbooks/{(file.Team is { } team ? $"{team.Folder}/" : "")}{Path.GetFileName(file.Name)}";
}

/// <summary>The runbook versions that incidents are pinned to. A version never changes, so it is read once.</summary>
public sealed class PinnedRunbooks(IIncidentStore store)
{
    private readonly ConcurrentDictionary<string, Runbook> _known = new(StringComparer.Ordinal);

    /// <exception cref="InvalidOperationException">The store has lost the version.</exception>
    public async Task<Runbook> OfAsync(Incident incident, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(incident.RunbookHash, out var runbook))
        {
            return runbook;
        }

        runbook = await store.FindRunbookAsync(incident.RunbookHash, cancellationToken)
            ?? throw new InvalidOperationException($"Runbook '{incident.RunbookId}' version {incident.RunbookHash} of incident {incident.Id} is not in the store.");
        return _known.GetOrAdd(incident.RunbookHash, runbook);
    }
}
