namespace Runbooks.Storage;

/// <summary>
/// The files of this process, each with the version in force and the errors of a newer one. The store keeps the version in force for a host
/// that starts while the file is broken.
/// </summary>
public sealed class FileVersions(ISharedState state, ILogger<FileVersions>? logger = null)
{
    /// <summary>A longer file is not kept, nor the version before it, since a host must not go back to that.</summary>
    private const int MaxKept = 256 * 1024;

    private readonly ConcurrentDictionary<string, FileVersion> _known = new(StringComparer.Ordinal);

    public IReadOnlyCollection<KeyValuePair<string, FileVersion>> Known => [.. _known];

    /// <param name="name">The file without its path: <c>windows.yaml</c>.</param>
    /// <param name="text">Now in force; null when there is no such file.</param>
    public void Use(string name, string? text) => _known.AddOrUpdate(
        name,
        _ => new(true, text, []),
        (_, known) => known.IsUsed && known.Text == text ? known with { Errors = [] } : new(true, text, []));

    /// <summary>Nothing is wrong with the file in this process, and the version in force is kept elsewhere.</summary>
    public void Forget(string name) => _known.TryRemove(name, out _);

    /// <summary>The version in force stays.</summary>
    /// <param name="mark">People are told once for each mark; the errors unless given.</param>
    public void Refuse(string name, IReadOnlyList<string> errors, string? mark = null) => _known.AddOrUpdate(
        name, _ => new(false, null, errors) { Mark = mark }, (_, known) => known with { Errors = errors, Mark = mark });

    /// <returns>The version that was last in force, on whichever host; null when there was none.</returns>
    public async Task<RunbookFile?> FindLastAsync(string name, CancellationToken cancellationToken)
    {
        if (_known.GetValueOrDefault(name) is { IsUsed: true, Text: { } own } version && (!version.IsSaved || own.Length > MaxKept))
        {
            return new(name, own);
        }

        return await state.FindAsync<Kept>(KeyOf(name), cancellationToken) is { Text: { } text } ? new(name, text) : null;
    }

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
/// <param name="Errors">What is wrong with the present file; empty when that is in force.</param>
public sealed record FileVersion(bool IsUsed, string? Text, IReadOnlyList<string> Errors)
{
    public bool IsSaved { get; init; }

    /// <summary>The same on every host that refuses the file, although their errors may differ; null where the errors are the mark.</summary>
    public string? Mark { get; init; }
}

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

    /// <summary>Without the separator, which a comment in the file may have.</summary>
    private static string Plain(string text) => text.Replace(NextFile, ' ');
}

/// <summary>In place of a broken file every process takes the version that was last in force, which the store keeps.</summary>
public sealed class RunbookVersions(RunbookCatalog catalog, FileVersions versions)
{
    internal const string Set = "runbooks";

    /// <summary>The name of the team's contacts in a kept version. No text file beside a runbook has this name.</summary>
    private const string TeamContacts = "contacts.yaml";

    /// <returns>What is wrong with the present files, and which older ones stay. The catalog has what is in force.</returns>
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
                // At a start, a file that was never in force must not take the id of one that was.
                inForce.Add(file);
            }
        }

        if (kept.Count > 0)
        {
            var loaded = catalog.Load(inForce, whole: inForce.Count == files.Count);
            broken.UnionWith(loaded.Errors.Select(error => error.File));
        }
        if (catalog.Current.Count > 0)
        {
            Use(files.Where(file => !file.IsAmong(broken)));
        }

        return result with { Kept = result.Kept.Count > 0 ? result.Kept : kept };
    }

    public void Forget() => versions.Forget(Set);

    private void Use(IEnumerable<RunbookFile> good)
    {
        foreach (var file in good)
        {
            versions.Use(KeyOf(file), Pack(file));
        }
    }

    private string Pack(RunbookFile file)
    {
        var samples = catalog.FindByFile(file.Name)?.Samples ?? file.Samples;
        return FilePack.Pack(file.Text, samples.Concat(OfTeam(file)));
    }

    private static IEnumerable<KeyValuePair<string, string>> OfTeam(RunbookFile file)
    {
        if (file.Team is not { } team)
        {
            yield break;
        }

        yield return new(TeamFile.FileName, team.File.Text);
        if (team.Contacts is { } contacts)
        {
            yield return new(TeamContacts, contacts.Text);
        }
    }

    private static RunbookFile Unpack(RunbookFile file, string kept)
    {
        var (text, beside) = FilePack.Unpack(kept);
        return file with
        {
            Text = text,
            Samples = beside.Where(entry => entry.Key is not (TeamFile.FileName or TeamContacts)).ToDictionary(StringComparer.Ordinal),
            Team = file.Team is { } team ? UnpackTeam(team, file, beside) : null,
        };
    }

    /// <summary>
    /// Under a name of the runbook's own: the present file of the team may have errors, and other runbooks may have kept another version.
    /// </summary>
    private static TeamFiles? UnpackTeam(TeamFiles team, RunbookFile file, Dictionary<string, string> beside)
    {
        if (!beside.TryGetValue(TeamFile.FileName, out var text))
        {
            return null;
        }

        var folder = team.File.Name[..^TeamFile.FileName.Length];
        var contacts = beside.TryGetValue(TeamContacts, out var own) ? new RunbookFile($"{team.Folder}/{TeamContacts}", own) : null;
        return new(team.Folder, new($"{folder}{Path.GetFileName(file.Name)}/{TeamFile.FileName}", text), contacts);
    }

    /// <summary>Without the path of the file, which may differ between processes.</summary>
    private static string KeyOf(RunbookFile file) =>
        $"runbooks/{(file.Team is { } team ? $"{team.Folder}/" : "")}{Path.GetFileName(file.Name)}";
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
