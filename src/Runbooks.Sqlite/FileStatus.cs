using System.Runtime.InteropServices;

namespace Runbooks.Sqlite;

/// <summary>What only the kernel knows of a file, and what no copy of it has.</summary>
internal static class FileStatus
{
    private const int CurrentFolder = -100;
    private const uint Inode = 0x100;
    private const uint Change = 0x80;
    private const uint Birth = 0x800;

    /// <summary>Which file it is, and when it was created.</summary>
    /// <returns>Null on a system that does not tell.</returns>
    public static string? MarkOf(string path)
    {
        if (Read(path, Inode | Change | Birth) is not { } status)
        {
            return null;
        }

        // Some file systems, such as NFS, have no creation time.
        var at = (BitConverter.ToUInt32(status, 0) & Birth) != 0 ? 80 : 96;
        return $"{BitConverter.ToUInt64(status, 32)}:{BitConverter.ToInt64(status, at)}.{BitConverter.ToUInt32(status, at + 8)}";
    }

    /// <summary>Identifies the file for as long as somebody has it open, whatever is written into it.</summary>
    /// <returns>Null where there is no file, and on a system that does not tell.</returns>
    public static ulong? InodeOf(string path) => Read(path, Inode) is { } status ? BitConverter.ToUInt64(status, 32) : null;

    /// <returns>
    /// The kernel's struct statx: its mask at 0, the inode at 32, seconds and nanoseconds of the creation at 80 and of the last change at 96.
    /// </returns>
    private static byte[]? Read(string path, uint mask)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            var status = new byte[256];
            return StatX(CurrentFolder, path, 0, mask, status) == 0 ? status : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "statx"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int StatX(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] status);
}
