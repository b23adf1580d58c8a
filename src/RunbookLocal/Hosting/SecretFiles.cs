using System.Security.Cryptography;
using Runbooks.Approvals;

namespace RunbookLocal.Hosting;

/// <summary>The secrets of one machine: made at the first start, readable by their owner alone, kept in the data folder.</summary>
internal static class SecretFiles
{
    private const int Bytes = 32;

    /// <summary>The key of the API, as hex.</summary>
    public static string ApiKey(string dataDirectory) =>
        ReadOrMake(Path.Combine(dataDirectory, LocalDefaults.KeyFile), () => RandomNumberGenerator.GetHexString(Bytes * 2, lowercase: true));

    /// <summary>The key that signs approval links.</summary>
    public static LinkSigningKey LinkKey(string dataDirectory) => new()
    {
        Id = "local",
        Secret = ReadOrMake(Path.Combine(dataDirectory, "link-key"), () => Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes))),
    };

    private static string ReadOrMake(string file, Func<string> make)
    {
        if (File.Exists(file) && File.ReadAllText(file).Trim() is { Length: > 0 } known)
        {
            return known;
        }

        var secret = make();
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(file, options);
        writer.WriteLine(secret);
        return secret;
    }
}
