using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Runbooks.Settings;

/// <summary>A secret that can be guessed keeps a host from starting: with it, anybody could decide, or speak in our name.</summary>
public static class SecretStrength
{
    public const int ShortestSecret = 24;

    private const int FewestDifferent = 6;

    /// <summary>A secret that repeats a shorter piece can be guessed.</summary>
    private const int ShortestPiece = 16;

    private static readonly string[] s_placeholders =
        [
            "development", "practice", "sample", "example", "placeholder", "changeme", "change-me", "change_me", "password",
            "not-a-secret", "not-a-key", "your-api-key", "your-key",
        ];

    /// <param name="environment">Development allows the secrets of the sample settings, which everybody knows.</param>
    /// <returns>Why it can be guessed; null where it cannot.</returns>
    public static string? FindWeakness(string secret, IHostEnvironment? environment)
    {
        if (secret.Length < ShortestSecret)
        {
            return $"it has fewer than {ShortestSecret} characters";
        }

        if (secret.Distinct().Count() < FewestDifferent || Piece(secret) < ShortestPiece)
        {
            return "it repeats the same few characters";
        }

        if (FollowsARow(secret))
        {
            return "its characters follow one another";
        }

        if (environment?.IsDevelopment() == true)
        {
            return null;
        }

        var placeholder = s_placeholders.FirstOrDefault(word => secret.Contains(word, StringComparison.OrdinalIgnoreCase));
        return placeholder is null ? null : $"it contains '{placeholder}', as those of samples do";
    }

    /// <summary>For a key in base64: checks both the text and its bytes.</summary>
    /// <inheritdoc cref="FindWeakness(string, IHostEnvironment?)"/>
    public static string? FindWeakness(string secret, byte[] key, IHostEnvironment? environment) =>
        FindWeakness(secret, environment) ?? FindWeakness(Encoding.Latin1.GetString(key), environment);

    /// <returns>The length of the shortest piece that makes the whole secret when repeated; the last repetition may be cut off.</returns>
    private static int Piece(string secret) =>
        Enumerable.Range(1, secret.Length).First(length => secret.AsSpan(length).SequenceEqual(secret.AsSpan(0, secret.Length - length)));

    /// <summary>Like abcdef, 987654 or aabbcc, in at least three quarters of it.</summary>
    private static bool FollowsARow(string secret) =>
        secret.Zip(secret.Skip(1), (letter, next) => Math.Abs(next - letter)).Count(distance => distance <= 1) * 4 >= (secret.Length - 1) * 3;
}

public static class SigningKey
{
    /// <summary>As long as the hash, RFC 2104 section 3.</summary>
    public const int MinBytes = 32;

    public const string Remedy = "Make one with: openssl rand -base64 32";

    public static byte[]? Read(string? secret)
    {
        var bytes = new byte[secret?.Length ?? 0];
        return Convert.TryFromBase64String(secret ?? "", bytes, out var length) && length >= MinBytes ? bytes[..length] : null;
    }
}

/// <summary>
/// App Service replaces a reference to a vault by the vault's value. Where it could not read that, the setting is the text of the
/// reference. It looks like a secret, but anybody who has the name of the vault can know it.
/// </summary>
/// <seealso href="https://learn.microsoft.com/azure/app-service/app-service-key-vault-references"/>
public static class VaultReferences
{
    private static readonly string[] s_beginnings = ["@Microsoft.KeyVault(", "@Microsoft.AppConfiguration("];

    /// <summary>
    /// Sections without which a host must not start. An API key with an unknown value would get the role of a key that no setting names,
    /// and no link could be signed. Everything else is closed while it is empty.
    /// </summary>
    private static readonly string[] s_needed = ["ApiKeys:", "LinkSigning:"];

    /// <summary>Makes such settings empty, as if they were not set. Has to be called before anything reads them.</summary>
    public static IReadOnlyList<string> Empty(IConfigurationManager configuration)
    {
        List<string> unresolved =
        [
            .. configuration.AsEnumerable()
                .Where(setting => IsReference(setting.Value))
                .Select(setting => setting.Key)
                .Order(StringComparer.Ordinal),
        ];
        configuration.AddInMemoryCollection(unresolved.Select(name => KeyValuePair.Create(name, (string?)"")));
        return unresolved;
    }

    public static IReadOnlyList<string> FindProblems(IEnumerable<string> unresolved)
    {
        return [.. unresolved.Where(IsNeeded).Select(name =>
            $"The setting '{name}' is still a reference to a vault, so App Service has not read it from there. "
            + "Is the secret there, and may the app's identity read it? Then have it asked again with infra/scripts/refresh-secrets.sh.")];

        static bool IsNeeded(string name) => s_needed.Any(section => name.StartsWith(section, StringComparison.OrdinalIgnoreCase));
    }

    public static void Report(IEnumerable<string> unresolved, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger(typeof(VaultReferences));
        foreach (var name in unresolved)
        {
            Log.SecretMissing(logger, name);
        }
    }

    private static bool IsReference(string? value) =>
        value is not null && s_beginnings.Any(beginning => value.StartsWith(beginning, StringComparison.OrdinalIgnoreCase));
}
