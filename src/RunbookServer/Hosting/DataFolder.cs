using System.IO.Enumeration;
using Runbooks.Sqlite;

namespace RunbookServer.Hosting;

/// <summary>The data folder: made where it is missing, and held by one host at a time through its database, if that is in it.</summary>
internal static class DataFolder
{
    /// <exception cref="CommandException">It cannot be written to, or others can read what is in it and that cannot be changed.</exception>
    public static void Prepare(ServerSettings settings)
    {
        try
        {
            OwnerOnly.Begin();
            Directory.CreateDirectory(settings.DataDirectory);
            OwnerOnly.Repair(settings.DataDirectory);
            Directory.CreateDirectory(settings.OutboxDirectory);
            if (settings.Storage == StorageKind.Sqlite)
            {
                Directory.CreateDirectory(settings.EvidenceDirectory);
                HostKeys.Of(settings);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The data folder {settings.DataDirectory} cannot be used: {Failures.Innermost(failure)} Give yourself the right to it, or name another folder with --data.");
        }
    }

    /// <exception cref="CommandException">Another host holds it, or it is damaged or not one of ours.</exception>
    public static void Open(IServiceProvider services)
    {
        try
        {
            services.GetRequiredService<SqliteDatabase>();
        }
        catch (Microsoft.Data.Sqlite.SqliteException failure)
        {
            throw new CommandException(Failures.OfDatabase(failure, services.GetRequiredService<SqliteOptions>().Path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new CommandException(failure.Message);
        }
    }
}

/// <summary>
/// What the host keeps is for its owner alone: alerts, evidence, links that decide. New files are made so, whoever makes
/// them, and what is there from before is put right.
/// </summary>
internal static class OwnerOnly
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Others = (UnixFileMode)0x3F;

    /// <summary>From here on this process makes folders as 0700 and files as 0600; SQLite's journals included, which are made by native code.</summary>
    public static void Begin()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetMask((uint)Others);
        }
    }

    /// <summary>Folders and files from before lose what others may do with them. A folder that holds other things than ours is left alone.</summary>
    /// <exception cref="CommandException">A file of ours cannot be put right.</exception>
    public static void Repair(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var isOurs = !Entries(folder, recurse: false).Any() || File.Exists(Path.Combine(folder, ServerDefaults.KeyFile)) || File.Exists(Path.Combine(folder, "runbooks.db"));
        if (!isOurs || !TryTake(folder))
        {
            ConsoleOutput.Line($"[yellow]Others may look into the data folder {ConsoleOutput.Plain(folder)}[/], which {(isOurs ? "belongs to somebody else" : "holds other things too")}. What the host makes there is for its owner alone; a folder of its own (--data) is better.");
        }

        if (isOurs)
        {
            foreach (var path in Entries(folder, recurse: true))
            {
                if (!TryTake(path))
                {
                    throw new CommandException($"Others can read {path}, and it belongs to somebody else. Run 'chmod -R go= {folder}' as its owner, or name another folder with --data.");
                }
            }
        }
    }

    /// <summary>What is in the folder, but for what the file system itself keeps at the root of a volume.</summary>
    private static FileSystemEnumerable<string> Entries(string folder, bool recurse)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = recurse, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };
        return new(folder, (ref entry) => entry.ToFullPath(), options) { ShouldIncludePredicate = IsOurs, ShouldRecursePredicate = IsOurs };

        static bool IsOurs(ref FileSystemEntry entry) => !(entry.FileName is "lost+found" && entry.Directory.SequenceEqual(entry.RootDirectory));
    }

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static bool TryTake(string path)
    {
        var mode = File.GetUnixFileMode(path);
        if ((mode & Others) == 0)
        {
            return true;
        }

        try
        {
            File.SetUnixFileMode(path, mode & Owner);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "umask"), System.Runtime.InteropServices.DefaultDllImportSearchPaths(System.Runtime.InteropServices.DllImportSearchPath.System32)]
    private static extern uint SetMask(uint mask);
}
