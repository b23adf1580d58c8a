namespace Runbooks.Integrations.Disk;

/// <summary>The machine that this process runs on; for one-machine hosts.</summary>
internal sealed class LocalMachine(TimeProvider time) : IMachine
{
    /// <summary>Each level holds a handle; what lies deeper stays.</summary>
    private const int DeepestLevel = 64;

    public string Words => "this machine";

    public string? Link => null;

    public Task<DiskSpace> SpaceAsync(string folder, CancellationToken cancellationToken)
    {
        using var found = FolderHandle.Open(folder);
        var drive = new DriveInfo(folder);
        return Task.FromResult(new DiskSpace(drive.TotalSize - drive.TotalFreeSpace, drive.AvailableFreeSpace, MountOf(folder)));
    }

    // The fifth field is where something is mounted: proc_pid_mountinfo(5). The folder's path holds no link.
    private static string? MountOf(string folder) => File.ReadLines("/proc/self/mountinfo")
        .Select(line => line.Split(' ')[4])
        .Where(mount => mount == "/" || (folder + "/").StartsWith(mount + "/", StringComparison.Ordinal))
        .MaxBy(mount => mount.Length);

    public Task<TempFiles> TempFilesAsync(string folder, TimeSpan olderThan, bool delete, CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - olderThan;
        using var found = FolderHandle.Open(folder);
        return Task.FromResult(Below(found, DeepestLevel));

        TempFiles Below(FolderHandle folder, int levels)
        {
            var (files, bytes) = (0L, 0L);
            foreach (var name in folder.Names())
            {
                cancellationToken.ThrowIfCancellationRequested();
                var entry = folder.Find(name);
                if (entry is { IsFolder: true } && levels > 0)
                {
                    using var inner = folder.Enter(name);
                    var sum = inner is not null && inner.SharesMountWith(found) ? Below(inner, levels - 1) : new TempFiles(0, 0);
                    (files, bytes) = (files + sum.Files, bytes + sum.Bytes);
                }
                else if (entry is { IsFile: true } file && file.Modified < before && (!delete || folder.Delete(name)))
                {
                    (files, bytes) = (files + 1, bytes + file.Size);
                }
            }

            return new TempFiles(files, bytes);
        }
    }

    public Task<string?> CheckPermissionsAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);
}
