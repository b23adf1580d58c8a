using System.Security.Cryptography;
using Runbooks.Settings;
using Runbooks.SignedLinks;

namespace RunbookServer.Hosting;

/// <summary>The keys that the host has made for itself. On one machine they count beside those that settings name, since the command line there reads them; for processes that share a storage account, in their place only.</summary>
internal sealed class HostKeys
{
    /// <summary>Opens the API, for everything; null when processes share a storage account and the settings name the keys.</summary>
    public string? ApiKey { get; private set; }

    /// <summary>Verifies approval links, and signs them where the settings name no key; null as above.</summary>
    public LinkSigningKey? LinkKey { get; private set; }

    public static HostKeys Of(ServerSettings settings) => settings.Storage == StorageKind.Azure
        ? new()
        : new() { ApiKey = SecretFiles.ApiKey(settings.DataDirectory), LinkKey = SecretFiles.LinkKey(settings.DataDirectory) };

    /// <summary>Once, before the host starts.</summary>
    public void Use(string? apiKey, LinkSigningKey? linkKey) => (ApiKey, LinkKey) = (apiKey, linkKey);
}

/// <summary>The secrets of one machine: made at the first start, readable by their owner alone, kept in the data folder.</summary>
internal static class SecretFiles
{
    public const string LinkKeyFile = "link-key";

    /// <summary>The key of the API that another took the place of.</summary>
    public const string FormerKeyFile = $"{ServerDefaults.KeyFile}.old";

    private const int Bytes = 32;

    /// <summary>The key of the API, as hex.</summary>
    public static string ApiKey(string dataDirectory) => ReadOrMake(ApiKeyFile(dataDirectory), NewApiKey);

    /// <exception cref="CommandException">The file is there and holds no such key.</exception>
    public static LinkSigningKey LinkKey(string dataDirectory)
    {
        var file = Path.Combine(dataDirectory, LinkKeyFile);
        var secret = ReadOrMake(file, NewLinkSecret);
        return SigningKey.Read(secret) is not null
            ? new() { Id = "local", Secret = secret }
            : throw new CommandException($"The key file {file} holds no key: it has to be base64 of at least {SigningKey.MinBytes} random bytes. Put a backup in its place, or move it away: then a new key is made, and approval links that are under way no longer work.");
    }

    /// <summary>The key of the API that this host uses, for the command line on the same machine.</summary>
    public static void WriteApiKey(string dataDirectory, string key) => Write(ApiKeyFile(dataDirectory), key);

    /// <summary>Another key takes its place.</summary>
    public static void SetApiKeyAside(string dataDirectory) => File.Move(ApiKeyFile(dataDirectory), Path.Combine(dataDirectory, FormerKeyFile), overwrite: true);

    /// <exception cref="CommandException">The file is there and cannot be read.</exception>
    public static string? FindApiKey(string dataDirectory) => Find(ApiKeyFile(dataDirectory));

    /// <summary>Where the host that was started on this folder listens, or its sandbox, for the command line on the same machine.</summary>
    public static void WriteAddress(string dataDirectory, string file, Uri address) => Write(Path.Combine(dataDirectory, file), address.GetLeftPart(UriPartial.Authority));

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
            throw new CommandException($"The key file {file} cannot be read: {Failures.Innermost(unreadable)} Give yourself the right to read it, or move it away and a new key is made.");
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
