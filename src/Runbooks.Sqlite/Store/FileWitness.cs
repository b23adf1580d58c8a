using System.Globalization;
using System.Runtime.InteropServices;

namespace Runbooks.Sqlite.Store;

/// <summary>
/// The generation in a file beside the database. A database that is put back is older than it; a folder that is put back as a
/// whole has a copy of it, which the file system tells by its inode and the time at which it was made. Other rights, which Kubernetes gives a volume's
/// files at each mount, leave both as they are.
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
            // Whole or not at all: a host that dies here leaves the one before.
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

/// <summary>What only the kernel knows of a file, and no copy of it has.</summary>
internal static class FileStatus
{
    private const int CurrentFolder = -100;
    private const uint Inode = 0x100;
    private const uint Change = 0x80;
    private const uint Birth = 0x800;

    /// <returns>Null on a system that does not tell.</returns>
    public static string? MarkOf(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            // The kernel's struct statx: what it tells at 0, the inode at 32, seconds and nanoseconds of the birth at 80 and of the last
            // change at 96. Some file systems, such as NFS, know of no birth.
            var status = new byte[256];
            if (StatX(CurrentFolder, path, 0, Inode | Change | Birth, status) != 0)
            {
                return null;
            }

            var at = (BitConverter.ToUInt32(status, 0) & Birth) != 0 ? 80 : 96;
            return $"{BitConverter.ToUInt64(status, 32)}:{BitConverter.ToInt64(status, at)}.{BitConverter.ToUInt32(status, at + 8)}";
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "statx"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int StatX(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] status);
}
