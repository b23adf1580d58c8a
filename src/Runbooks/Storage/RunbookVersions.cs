using Runbooks.Catalog;

namespace Runbooks.Storage;

/// <summary>
/// Loads the runbook files so that every process has the same ones in force: in place of a broken file each takes the version
/// of it that was in force last, which the store keeps, whenever the process started.
/// </summary>
public sealed class RunbookVersions(RunbookCatalog catalog, FileVersions versions)
{
    private const string Set = "runbooks";

    /// <summary>As a version keeps the contacts of its team; no text file beside a runbook is called so.</summary>
    private const string TeamContacts = "contacts.yaml";

    /// <returns>What is wrong with the files as they are, and what stays as it was; the catalog has what is in force.</returns>
    public async Task<LoadResult> LoadAsync(IReadOnlyList<RunbookFile> files, CancellationToken cancellationToken)
    {
        var result = catalog.Load(files);
        if (result.Errors.Count == 0)
        {
            versions.Accept(Set);
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

    /// <summary>Broken files are none of a host's troubles once a publication has taken their place.</summary>
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
