using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Disk;

/// <summary>The machine that this process runs on; for one-machine hosts.</summary>
internal sealed class LocalMachine(TimeProvider time) : IMachine
{
    private static readonly EnumerationOptions s_everything = new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = true };

    public string Words => "this machine";

    public string? Link => null;

    public Task<DiskSpace> SpaceAsync(string folder, CancellationToken cancellationToken)
    {
        Check(folder);
        var drive = new DriveInfo(folder);
        return Task.FromResult(new DiskSpace(drive.TotalSize - drive.TotalFreeSpace, drive.TotalSize));
    }

    public Task<TempFiles> TempFilesAsync(string folder, TimeSpan olderThan, bool delete, CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow().UtcDateTime - olderThan;
        var (files, bytes) = (0L, 0L);
        foreach (var file in Old(Check(folder), before))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var size = file.Length;
            if (!delete || TryDelete(file))
            {
                (files, bytes) = (files + 1, bytes + size);
            }
        }

        return Task.FromResult(new TempFiles(files, bytes));
    }

    public Task<string?> CheckPermissionsAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    // A link is neither followed nor deleted: what it leads to belongs to somebody else.
    private static IEnumerable<FileInfo> Old(DirectoryInfo folder, DateTime before)
    {
        foreach (var entry in folder.EnumerateFileSystemInfos("*", s_everything))
        {
            if (entry.LinkTarget is not null || entry.Attributes.HasFlag(FileAttributes.ReparsePoint))
            {
                continue;
            }

            if (entry is DirectoryInfo below)
            {
                foreach (var file in Old(below, before))
                {
                    yield return file;
                }
            }
            else if (entry is FileInfo file && file.LastWriteTimeUtc < before)
            {
                yield return file;
            }
        }
    }

    private static DirectoryInfo Check(string folder)
    {
        var found = new DirectoryInfo(folder);
        if (!found.Exists)
        {
            throw new StepRefusedException($"There is no folder {folder} on this machine.");
        }

        for (var part = found; part is not null; part = part.Parent)
        {
            if (part.LinkTarget is not null)
            {
                throw new StepRefusedException($"{folder} leads elsewhere: {part.FullName} is a link.");
            }
        }

        return found;
    }

    private static bool TryDelete(FileInfo file)
    {
        try
        {
            file.Delete();
            return true;
        }
        catch (Exception busy) when (busy is IOException or UnauthorizedAccessException)
        {
            // In use, or not ours: it stays.
            return false;
        }
    }
}
