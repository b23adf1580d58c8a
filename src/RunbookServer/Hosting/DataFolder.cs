using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Runbooks.Settings;
using Runbooks.SignedLinks;
using Runbooks.Sqlite;

namespace RunbookServer.Hosting;

internal static class DataFolder
{
    public const string DatabaseFile = "runbooks.db";
    public const string GitIgnore = ".gitignore";

    /// <exception cref="CommandException">It cannot be written to, or others can read its files and that cannot be changed.</exception>
    public static void Prepare(ServerSettings settings)
    {
        try
        {
            OwnerOnly.Begin();
            var isNew = !Directory.Exists(settings.DataDirectory);
            Directory.CreateDirectory(settings.DataDirectory);
            if (isNew)
            {
                // The folder has keys in it, and may be in somebody's repository.
                File.WriteAllText(Path.Combine(settings.DataDirectory, GitIgnore), "*\n");
            }

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
            throw new CommandException(
                $"The data folder {settings.DataDirectory} cannot be used: {Failures.Innermost(failure)} "
                + "Give yourself the right to it, or name another folder with --data.");
        }
    }

    /// <exception cref="CommandException">Another host has it open, or it is damaged or not a database of ours.</exception>
    public static void Open(IServiceProvider services) =>
        Open(services.GetRequiredService<SqliteDatabase>, services.GetRequiredService<SqliteOptions>().Path);

    /// <inheritdoc cref="Open(IServiceProvider)"/>
    public static T Open<T>(Func<T> open, string path)
    {
        try
        {
            return open();
        }
        catch (Microsoft.Data.Sqlite.SqliteException failure)
        {
            throw new CommandException(Failures.OfDatabase(failure, path));
        }
        catch (UnauthorizedAccessException failure)
        {
            throw Failures.Describe(failure);
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException)
        {
            throw new CommandException(failure.Message);
        }
    }
}

/// <summary>Only their owner may read the files of the host: alerts, evidence, links that decide. This covers new files and older ones.</summary>
internal static class OwnerOnly
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Others = (UnixFileMode)0x3F;

    /// <summary>From here on this process makes folders as 0700 and files as 0600, also in native code, such as SQLite's journals.</summary>
    public static void Begin()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetMask((uint)Others);
        }
    }

    /// <summary>
    /// Takes the rights of others away from our older folders and files. They are known by name: other files are left alone, and so is
    /// a folder with other files in it. Where one of ours is a link, its target loses the rights, which protects what is in it.
    /// </summary>
    /// <exception cref="CommandException">The rights of a file of ours cannot be changed.</exception>
    public static void Repair(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var entries = Entries(folder, recurse: false).ToLookup(IsOurs);
        var isShared = entries[false].Any();
        if (IsOpen(folder) && (isShared || !TryTake(folder)))
        {
            var why = isShared ? "holds other things too" : "belongs to somebody else";
            ConsoleOutput.Line($"[yellow]Others may look into the data folder {ConsoleOutput.Plain(folder)}[/], which {why}. "
                + "What the host makes there is for its owner alone; a folder of its own (--data) is better.");
        }

        foreach (var path in entries[true].SelectMany(WhatIsKept))
        {
            if (!TryTake(path))
            {
                throw new CommandException(
                    $"Others can read {path}, and it belongs to somebody else. "
                    + $"Run 'chmod -R go= {path}' as its owner, or name another folder with --data.");
            }
        }
    }

    private static IEnumerable<string> WhatIsKept(string ours)
    {
        if (File.ResolveLinkTarget(ours, returnFinalTarget: true) is { FullName: var target })
        {
            return Path.Exists(target) ? [target] : [];
        }

        return Directory.Exists(ours) ? Entries(ours, recurse: true).Prepend(ours) : [ours];
    }

    private static bool IsOurs(string path)
    {
        var name = Path.GetFileName(path);
        return name.StartsWith(DataFolder.DatabaseFile, StringComparison.Ordinal) || name is
            ServerDefaults.KeyFile
            or SecretFiles.FormerKeyFile
            or SecretFiles.LinkKeyFile
            or ServerDefaults.AddressFile
            or ServerDefaults.SandboxAddressFile
            or "outbox"
            or "evidence"
            or "generation"
            or "generation.next"
            or "sandbox.json"
            or "sandbox.json.new"
            or "sandbox.json.unreadable"
            or DataFolder.GitIgnore;
    }

    /// <summary>Without the folder that the file system keeps at the root of a volume.</summary>
    private static FileSystemEnumerable<string> Entries(string folder, bool recurse)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = recurse,
            AttributesToSkip = recurse ? FileAttributes.ReparsePoint : 0,
            IgnoreInaccessible = false,
        };
        return new(folder, (ref entry) => entry.ToFullPath(), options)
        {
            ShouldIncludePredicate = IsKept,
            ShouldRecursePredicate = IsKept,
        };

        static bool IsKept(ref FileSystemEntry entry) =>
            !(entry.FileName is "lost+found" && entry.Directory.SequenceEqual(entry.RootDirectory));
    }

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static bool IsOpen(string path) => (File.GetUnixFileMode(path) & Others) != 0;

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static bool TryTake(string path)
    {
        if (!IsOpen(path))
        {
            return true;
        }

        try
        {
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) & Owner);
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "umask"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern uint SetMask(uint mask);
}

/// <summary>
/// The keys that the host made for itself. On one machine they count beside those of the settings, since the command line there reads
/// them. Processes that share a storage account use them only where the settings name none.
/// </summary>
internal sealed class HostKeys
{
    /// <summary>Opens the whole API; null when processes share a storage account and the settings name the keys.</summary>
    public string? ApiKey { get; private set; }

    /// <summary>Verifies approval links, and signs them where the settings name no key; null as above.</summary>
    public LinkSigningKey? LinkKey { get; private set; }

    public static HostKeys Of(ServerSettings settings) => settings.Storage == StorageKind.Azure
        ? new()
        : new() { ApiKey = SecretFiles.ApiKey(settings.DataDirectory), LinkKey = SecretFiles.LinkKey(settings.DataDirectory) };

    public void Use(string? apiKey, LinkSigningKey? linkKey) => (ApiKey, LinkKey) = (apiKey, linkKey);
}

/// <summary>The secrets of one machine: made at the first start, kept in the data folder.</summary>
internal static class SecretFiles
{
    public const string LinkKeyFile = "link-key";

    /// <summary>The API key that another one has replaced.</summary>
    public const string FormerKeyFile = $"{ServerDefaults.KeyFile}.old";

    private const int Bytes = 32;

    public static string ApiKey(string dataDirectory) => ReadOrMake(ApiKeyFile(dataDirectory), NewApiKey);

    /// <exception cref="CommandException">The file has something else in it.</exception>
    public static LinkSigningKey LinkKey(string dataDirectory)
    {
        var file = Path.Combine(dataDirectory, LinkKeyFile);
        var secret = ReadOrMake(file, NewLinkSecret);
        return SigningKey.Read(secret) is not null
            ? new() { Id = "local", Secret = secret }
            : throw new CommandException(
                $"The key file {file} holds no key: it has to be base64 of at least {SigningKey.MinBytes} random bytes. "
                + "Put a backup in its place, or move it away: then a new key is made, "
                + "and approval links that are under way no longer work.");
    }

    /// <summary>The API key that this host uses, for the command line on the same machine.</summary>
    public static void WriteApiKey(string dataDirectory, string key) => Write(ApiKeyFile(dataDirectory), key);

    public static void SetApiKeyAside(string dataDirectory) =>
        File.Move(ApiKeyFile(dataDirectory), Path.Combine(dataDirectory, FormerKeyFile), overwrite: true);

    public static string? FindApiKey(string dataDirectory) => Find(ApiKeyFile(dataDirectory));

    /// <summary>Where this folder's host or its sandbox listens, for the command line on the same machine.</summary>
    public static void WriteAddress(string dataDirectory, string file, Uri address) =>
        Write(Path.Combine(dataDirectory, file), address.GetLeftPart(UriPartial.Authority));

    public static string NewApiKey() => RandomNumberGenerator.GetHexString(Bytes * 2, lowercase: true);

    public static string NewLinkSecret() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes));

    private static string ApiKeyFile(string dataDirectory) => Path.Combine(dataDirectory, ServerDefaults.KeyFile);

    private static string ReadOrMake(string file, Func<string> make)
    {
        if (Find(file) is { } known)
        {
            return known;
        }

        var secret = make();
        Write(file, secret);
        return secret;
    }

    private static string? Find(string file)
    {
        try
        {
            return Path.Exists(file) && File.ReadAllText(file).Trim() is { Length: > 0 } known ? known : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(
                $"The key file {file} cannot be read: {Failures.Innermost(unreadable)} "
                + "Give yourself the right to read it, or move it away and a new key is made.");
        }
    }

    private static void Write(string file, string secret)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(file, options);
        writer.WriteLine(secret);
    }
}
