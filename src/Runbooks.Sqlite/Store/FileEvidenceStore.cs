using System.Globalization;

namespace Runbooks.Sqlite.Store;

/// <summary>
/// Evidence as files, one folder an incident. A file appears whole or not at all. Links are never followed, so nothing outside the
/// folder can be read or overwritten.
/// </summary>
internal sealed class FileEvidenceStore(string folder) : IEvidenceStore
{
    private readonly string _root = Path.GetFullPath(folder);

    public async Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken)
    {
        var evidence = EvidenceName.Of(incidentId, name);
        try
        {
            var into = Directory.CreateDirectory(Path.Combine(_root, evidence.Incident));
            if (IsLink(into))
            {
                throw new StoreUnavailableException($"{into.FullName} is a link; evidence is kept in real folders only. Remove it.");
            }

            // No evidence may have a name with a leading dot, so nobody reads a half-written file.
            var half = Path.Combine(into.FullName, $".{evidence.Name}.{Guid.NewGuid():N}");
            try
            {
                await WriteAsync(half, content, cancellationToken);
                File.Move(half, Path.Combine(into.FullName, evidence.Name), overwrite: true);
            }
            catch
            {
                File.Delete(half);
                throw;
            }

            return evidence.ToString();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unavailable(e);
        }
    }

    public Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken)
    {
        if (EvidenceName.Parse(reference) is not { } evidence)
        {
            return Task.FromResult<Stream?>(null);
        }

        var from = new DirectoryInfo(Path.Combine(_root, evidence.Incident));
        var file = new FileInfo(Path.Combine(from.FullName, evidence.Name));
        if (!file.Exists || IsLink(from) || IsLink(file))
        {
            return Task.FromResult<Stream?>(null);
        }

        try
        {
            return Task.FromResult<Stream?>(new FileStream(
                file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 16_384, FileOptions.Asynchronous | FileOptions.SequentialScan));
        }
        catch (FileNotFoundException)
        {
            return Task.FromResult<Stream?>(null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unavailable(e);
        }
    }

    public Task DeleteAsync(string incidentId, CancellationToken cancellationToken)
    {
        var folder = EvidenceName.IsName(incidentId) ? new DirectoryInfo(Path.Combine(_root, incidentId)) : null;
        if (folder is { Exists: true })
        {
            try
            {
                // A link is removed without its target.
                folder.Delete(recursive: !IsLink(folder));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Unavailable(e);
            }
        }

        return Task.CompletedTask;
    }

    private static async Task WriteAsync(string path, Stream content, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 16_384, FileOptions.Asynchronous);
        await content.CopyToAsync(file, cancellationToken);
        file.Flush(flushToDisk: true);
    }

    private static bool IsLink(FileSystemInfo entry) => entry.LinkTarget is not null;

    private StoreUnavailableException Unavailable(Exception cause) => new($"Evidence cannot be kept in {_root}: {cause.Message}", cause);
}

/// <summary>
/// The generation in a file beside the database. A database that is restored alone has an older one. A folder that is restored as a
/// whole has a copy of the file, which shows in its inode and creation time. Changed rights, which Kubernetes sets at each mount, change
/// neither.
/// </summary>
internal sealed class FileWitness(string path) : IGenerationWitness
{
    public Task<WitnessedGeneration?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult(long.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? new WitnessedGeneration(number, FileStatus.MarkOf(path))
                : null);
        }
        catch (FileNotFoundException)
        {
            return Task.FromResult<WitnessedGeneration?>(null);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"{path} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    public Task<WitnessedGeneration> WriteAsync(long number, CancellationToken cancellationToken)
    {
        try
        {
            // Whole or not at all: if the host dies here, the file before stays.
            var next = $"{path}.next";
            using (var file = new FileStream(next, FileMode.Create, FileAccess.Write))
            {
                file.Write(System.Text.Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
                file.Flush(flushToDisk: true);
            }

            File.Move(next, path, overwrite: true);
            return Task.FromResult(new WitnessedGeneration(number, FileStatus.MarkOf(path)));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"{path} cannot be written: {failure.Message}", failure);
        }
    }
}
