using Runbooks.Catalog;

namespace Runbooks.Storage;

/// <summary>
/// Loads the runbook files so that every process has the same ones in force: in place of a broken file each takes the version
/// of it that was in force last, which the store keeps, whenever the process started.
/// </summary>
public sealed class RunbookVersions(RunbookCatalog catalog, FileVersions versions)
{
    private const string Set = "runbooks";

    /// <summary>No YAML holds it.</summary>
    private const char NextFile = '\u001E';

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
        var (inForce, kept) = (new List<RunbookFile>(), new List<string>());
        foreach (var file in files)
        {
            var last = broken.Contains(file.Name) ? await versions.FindLastAsync(KeyOf(file), cancellationToken) : null;
            inForce.Add(last is null ? file : Unpack(file, last.Text));
            if (last is not null)
            {
                kept.Add(file.Name);
            }
        }

        broken.UnionWith(kept.Count > 0 ? catalog.Load(inForce).Errors.Select(error => error.File) : []);
        if (catalog.Current.Count > 0)
        {
            Use(files.Where(file => !broken.Contains(file.Name)));
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

    /// <summary>A runbook together with the text files that it names: they are one version.</summary>
    private static string Pack(RunbookFile file) => file.Text + string.Concat(file.Samples
        .Where(sample => file.Text.Contains(sample.Key, StringComparison.Ordinal))
        .OrderBy(sample => sample.Key, StringComparer.Ordinal)
        .Select(sample => $"{NextFile}{sample.Key}\n{sample.Value.Replace(NextFile, ' ')}"));

    private static RunbookFile Unpack(RunbookFile file, string kept)
    {
        var parts = kept.Split(NextFile);
        var samples = parts.Skip(1).Select(part => part.Split('\n', 2)).Where(part => part.Length == 2);
        return file with { Text = parts[0], Samples = samples.ToDictionary(part => part[0], part => part[1], StringComparer.Ordinal) };
    }

    /// <summary>Processes see the same file under different paths.</summary>
    private static string KeyOf(RunbookFile file) => $"runbooks/{Path.GetFileName(file.Name)}";
}
