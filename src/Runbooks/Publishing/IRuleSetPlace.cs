namespace Runbooks.Publishing;

/// <summary>
/// A blob container or a folder with plain files or publications. A file appears whole or not at all. Throws
/// <see cref="Model.Storage.StoreUnavailableException"/> when the place does not answer.
/// </summary>
public interface IRuleSetPlace
{
    string Address { get; }

    /// <returns>Null when there is no such file. At most <paramref name="most"/> bytes and one.</returns>
    Task<StoredContent?> FindAsync(string name, int most, CancellationToken cancellationToken);

    /// <summary>Overwrites an existing file.</summary>
    Task WriteAsync(string name, byte[] content, CancellationToken cancellationToken);

    /// <param name="tag">The tag of the content to replace; null when there was none.</param>
    /// <returns>False when somebody else has written it meanwhile; then nothing was written.</returns>
    Task<bool> ReplaceAsync(string name, byte[] content, string? tag, CancellationToken cancellationToken);

    Task<IReadOnlyList<StoredName>> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <returns>False when it is gone or was written again since; then nothing was removed.</returns>
    Task<bool> RemoveAsync(StoredName one, CancellationToken cancellationToken);

    /// <summary>The plain files, which count where nothing was published. Their names are paths from the root of the place.</summary>
    Task<IReadOnlyList<RunbookFile>> ReadPlainAsync(CancellationToken cancellationToken);
}

/// <param name="Tag">Changes with the content.</param>
public sealed record StoredContent(byte[] Content, string Tag);

/// <param name="Tag">Changes with each write.</param>
public sealed record StoredName(string Name, DateTimeOffset WrittenAt, string Tag);

/// <summary>A folder with a rule set. A file is written under another name and renamed; a lock file keeps two publishers apart.</summary>
public sealed class FolderPlace(string folder) : IRuleSetPlace
{
    private const string LockName = "published/lock";

    public string Address => folder;

    public Task<StoredContent?> FindAsync(string name, int most, CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        if (new FileInfo(PathOf(name)) is not { Exists: true } file)
        {
            return null;
        }

        using var stream = Open(file);
        var content = new byte[Math.Min(stream.Length, most + 1)];
        var read = await stream.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, cancellationToken);
        return new StoredContent(content[..read], SetManifest.HashOf(content[..read]));
    });

    public Task WriteAsync(string name, byte[] content, CancellationToken cancellationToken) => GuardAsync<StoredContent?>(async () =>
    {
        var (file, beside) = (new FileInfo(PathOf(name)), new FileInfo(PathOf($"{SetManifest.FilesFolder}{Path.GetRandomFileName()}.part")));
        file.Directory!.Create();

        // A publisher that is killed leaves this file, which is removed with other unneeded files.
        beside.Directory!.Create();
        using (var stream = beside.Open(FileMode.CreateNew, FileAccess.Write))
        {
            await stream.WriteAsync(content, cancellationToken);
            stream.Flush(flushToDisk: true);
        }

        beside.MoveTo(file.FullName, overwrite: true);
        return null;
    });

    public async Task<bool> ReplaceAsync(string name, byte[] content, string? tag, CancellationToken cancellationToken)
    {
        FileStream held;
        try
        {
            var file = new FileInfo(PathOf(LockName));
            file.Directory!.Create();
            held = file.Open(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException taken) when (IsHeld(taken))
        {
            return false;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"The folder {folder} cannot be written: {refused.Message}", refused);
        }

        using (held)
        {
            if ((await FindAsync(name, PublicationLog.MostBytes, cancellationToken))?.Tag != tag)
            {
                return false;
            }

            await WriteAsync(name, content, cancellationToken);
            return true;
        }
    }

    public Task<IReadOnlyList<StoredName>> ListAsync(string prefix, CancellationToken cancellationToken) => GuardAsync(() =>
        Task.FromResult<IReadOnlyList<StoredName>>(new DirectoryInfo(PathOf(prefix)) is { Exists: true } below
            ? [.. below.EnumerateFiles().Select(file => new StoredName($"{prefix}{file.Name}", file.LastWriteTimeUtc, TagOf(file)))]
            : []));

    public Task<bool> RemoveAsync(StoredName one, CancellationToken cancellationToken) => GuardAsync(() =>
    {
        var file = new FileInfo(PathOf(one.Name));
        var isAsListed = file.Exists && TagOf(file) == one.Tag;
        if (isAsListed)
        {
            file.Delete();
        }

        return Task.FromResult(isAsListed);
    });

    private static string TagOf(FileInfo file) => $"{file.LastWriteTimeUtc.Ticks}:{file.Length}";

    public Task<IReadOnlyList<RunbookFile>> ReadPlainAsync(CancellationToken cancellationToken) => GuardAsync<IReadOnlyList<RunbookFile>>(async () =>
    {
        var files = await ReadAsync("", cancellationToken);
        foreach (var team in TeamFolders.Of(folder))
        {
            files.AddRange(await ReadAsync($"{team.Name}/", cancellationToken));
        }

        return files;
    });

    private async Task<List<RunbookFile>> ReadAsync(string prefix, CancellationToken cancellationToken)
    {
        var (files, here) = (new List<RunbookFile>(), PathOf(prefix));
        var there = new DirectoryInfo(here).EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal).ToList();
        var taken = RuleSet.Among([.. there.Select(file => $"{prefix}{file.Name}")]).ToHashSet(StringComparer.Ordinal);
        foreach (var file in there.Where(file => taken.Contains($"{prefix}{file.Name}") && !SampleFolder.IsSample(file.Name)))
        {
            files.Add(new(
                $"{prefix}{file.Name}",
                prefix.Length > 0 ? await TextOfTeamAsync(here, file, cancellationToken) : await TextAsync(file, cancellationToken)));
        }

        return [.. files, .. SampleFolder.Read(here).Select(sample => new RunbookFile($"{prefix}{sample.Key}", sample.Value))];
    }

    private static async Task<string> TextOfTeamAsync(string team, FileInfo file, CancellationToken cancellationToken)
    {
        try
        {
            return TeamFolders.IsOutside(team, file) ? TeamFolders.TextOfLinkOutside : await TextAsync(file, cancellationToken);
        }
        catch (Exception unreadable) when (unreadable is UnauthorizedAccessException || (unreadable is IOException && file.LinkTarget is not null))
        {
            return TeamFolders.TextOfUnreadable;
        }
    }

    private static async Task<string> TextAsync(FileInfo file, CancellationToken cancellationToken)
    {
        if (SampleFolder.IsEmpty(file))
        {
            return "";
        }

        using var stream = Open(file);
        using var reader = new StreamReader(stream);

        // One character more than a file may have shows that it is too long.
        var text = new char[Math.Min(stream.Length, RuleSet.MostFileBytes) + 1];
        return new string(text, 0, await reader.ReadBlockAsync(text, cancellationToken));
    }

    /// <summary>The length is read from the open stream, since a link has a length of its own.</summary>
    private static FileStream Open(FileInfo file) => file.Open(FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private string PathOf(string name) => Path.Combine([folder, .. name.Split('/')]);

    /// <summary>Another publisher has it open: a sharing violation on Windows, else EWOULDBLOCK of Linux or macOS.</summary>
    private static bool IsHeld(IOException refused) =>
        OperatingSystem.IsWindows() ? (refused.HResult & 0xFFFF) == 32 : refused.HResult is 11 or 35;

    private async Task<T> GuardAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"The folder {folder} cannot be used: {refused.Message}", refused);
        }
    }
}
