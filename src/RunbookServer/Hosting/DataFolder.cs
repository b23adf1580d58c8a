using System.Security.Cryptography;
using Runbooks.SignedLinks;
using Runbooks.Sqlite;
using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>The data folder: made where it is missing, and held by one host at a time through its database, if that is in it.</summary>
internal static class DataFolder
{
    /// <exception cref="CommandException">It cannot be written to.</exception>
    public static void Prepare(ServerSettings settings)
    {
        try
        {
            Directory.CreateDirectory(settings.DataDirectory);
            Directory.CreateDirectory(settings.OutboxDirectory);
            if (settings.Storage == StorageKind.Sqlite)
            {
                Directory.CreateDirectory(settings.EvidenceDirectory);
                HostKeys.Of(settings);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The data folder {settings.DataDirectory} cannot be used: {failure.Message} Name another with --data.");
        }
    }

    /// <exception cref="CommandException">Another host holds it, or it is not one of ours.</exception>
    public static void Open(IServiceProvider services)
    {
        try
        {
            services.GetRequiredService<SqliteDatabase>();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or Microsoft.Data.Sqlite.SqliteException or InvalidOperationException)
        {
            throw new CommandException(failure.Message);
        }
    }
}

/// <summary>The secrets of one machine: made at the first start, readable by their owner alone, kept in the data folder.</summary>
internal static class SecretFiles
{
    private const int Bytes = 32;

    /// <summary>The key of the API, as hex.</summary>
    public static string ApiKey(string dataDirectory) => ReadOrMake(ApiKeyFile(dataDirectory), NewApiKey);

    /// <summary>The key that signs approval links.</summary>
    public static LinkSigningKey LinkKey(string dataDirectory) =>
        new() { Id = "local", Secret = ReadOrMake(Path.Combine(dataDirectory, "link-key"), NewLinkSecret) };

    /// <summary>The key of the API that this host uses, for the command line on the same machine.</summary>
    public static void WriteApiKey(string dataDirectory, string key) => Write(ApiKeyFile(dataDirectory), key);

    public static string NewApiKey() => RandomNumberGenerator.GetHexString(Bytes * 2, lowercase: true);

    public static string NewLinkSecret() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes));

    private static string ApiKeyFile(string dataDirectory) => Path.Combine(dataDirectory, ServerDefaults.KeyFile);

    private static string ReadOrMake(string file, Func<string> make)
    {
        if (File.Exists(file) && File.ReadAllText(file).Trim() is { Length: > 0 } known)
        {
            return known;
        }

        var secret = make();
        Write(file, secret);
        return secret;
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
