using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runbooks.Integrations.Disk;

/// <summary>The machine that this process runs on. Where several processes share the record, it is the one that has the step.</summary>
internal sealed class LocalMachine(TimeProvider time) : IMachine
{
    /// <summary>Each level keeps a handle open; files below this level stay.</summary>
    private const int DeepestLevel = 64;

    public string DisplayName => $"this machine ({Identity})";

    public string Identity => Environment.MachineName;

    public string? Link => null;

    public Task<DiskSpace> SpaceAsync(string folder, CancellationToken cancellationToken)
    {
        using var found = FolderHandle.Open(folder);
        var drive = new DriveInfo(folder);
        return Task.FromResult(new DiskSpace(drive.TotalSize - drive.TotalFreeSpace, drive.AvailableFreeSpace, MountOf(folder)));
    }

    // The fifth field is where something is mounted: proc_pid_mountinfo(5). The folder's path has no link in it.
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

/// <summary>
/// A folder that is held open (Linux). Files are found and deleted relative to the handle. A path is resolved again at each use, a
/// handle is not, so a folder that is swapped for a link in the meantime leads nowhere else.
/// </summary>
internal sealed partial class FolderHandle : IDisposable
{
    private const int OpenPath = 0x200000;
    private const int CloseOnExec = 0x80000;
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicAndMount = 0x7ff | 0x1000;

    private static readonly EnumerationOptions s_all = new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = true };

    // From Linux's own headers, like the names above; these two differ between processors.
    private static readonly (int Directory, int NoFollow) s_open =
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? (0x4000, 0x8000) : (0x10000, 0x20000);

    private readonly SafeFileHandle _handle;
    private readonly Status _self;

    private FolderHandle(SafeFileHandle handle, Status self) => (_handle, _self) = (handle, self);

    public static FolderHandle Open(string path)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
        {
            throw new StepRefusedException("Folders can be held open, so that nothing outside of them is deleted, "
                + "only on Linux (x64 or arm64).") { NothingDone = true };
        }

        var folder = Root();
        var walked = "";
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            using var above = folder;
            walked += "/" + part;
            folder = above.Enter(part) ?? throw new StepRefusedException(above.Find(part) is { IsLink: true }
                ? $"{path} leads elsewhere: {walked} is a link."
                : $"There is no folder {path} on this machine, or it may not be entered.") { NothingDone = true };
        }

        return folder;
    }

    public IEnumerable<string> Names() =>
        Directory.EnumerateFileSystemEntries($"/proc/self/fd/{_handle.DangerousGetHandle()}", "*", s_all).Select(
            path => Path.GetFileName(path));

    public Status? Find(string name) => Native.StatX(_handle, name, NoFollow, BasicAndMount, out var status) == 0 ? status : null;

    /// <returns>Null when it is not a folder (a link, for example) or may not be entered.</returns>
    public FolderHandle? Enter(string name)
    {
        var handle = Native.OpenAt(_handle, name, OpenPath | s_open.Directory | s_open.NoFollow | CloseOnExec);
        if (!handle.IsInvalid && Native.StatX(handle, "", EmptyPath, BasicAndMount, out var self) == 0)
        {
            return new FolderHandle(handle, self);
        }

        handle.Dispose();
        return null;
    }

    /// <summary>Whether it is on the same mount: another disk is not, nor a part of this one that is mounted below.</summary>
    public bool SharesMountWith(FolderHandle other) =>
        (_self.DeviceMajor, _self.DeviceMinor, _self.Mount) == (other._self.DeviceMajor, other._self.DeviceMinor, other._self.Mount);

    public bool Delete(string name) => Native.UnlinkAt(_handle, name, 0) == 0;

    public void Dispose() => _handle.Dispose();

    private static FolderHandle Root()
    {
        using var nowhere = new SafeFileHandle(-100, ownsHandle: false);
        var handle = Native.OpenAt(nowhere, "/", OpenPath | s_open.Directory | CloseOnExec);
        return Native.StatX(handle, "", EmptyPath, BasicAndMount, out var self) == 0
            ? new FolderHandle(handle, self)
            : throw new StepRefusedException("This system does not tell what a folder is (statx).") { NothingDone = true };
    }

    /// <summary>The kernel's <c>struct statx</c>, as far as it is needed here.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal readonly struct Status
    {
        [FieldOffset(28)]
        private readonly ushort _mode;
        [FieldOffset(40)]
        public readonly long Size;
        [FieldOffset(112)]
        private readonly long _modified;
        [FieldOffset(136)]
        public readonly uint DeviceMajor;
        [FieldOffset(140)]
        public readonly uint DeviceMinor;
        // 0 on kernels before 5.8: there the device alone is compared.
        [FieldOffset(144)]
        public readonly long Mount;

        public bool IsFile => (_mode & 0xF000) == 0x8000;

        public bool IsFolder => (_mode & 0xF000) == 0x4000;

        public bool IsLink => (_mode & 0xF000) == 0xA000;

        public DateTimeOffset Modified => DateTimeOffset.FromUnixTimeSeconds(_modified);
    }

    private static partial class Native
    {
        [LibraryImport("libc", EntryPoint = "openat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
        internal static partial SafeFileHandle OpenAt(SafeFileHandle folder, string name, int flags);

        [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
        internal static partial int StatX(SafeFileHandle folder, string name, int flags, uint mask, out Status status);

        [LibraryImport("libc", EntryPoint = "unlinkat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
        internal static partial int UnlinkAt(SafeFileHandle folder, string name, int flags);
    }
}
