using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Runbooks.SignedLinks;

/// <summary>The keys that sign approval links.</summary>
public sealed class LinkSigningOptions
{
    public const string SectionName = "LinkSigning";

    /// <summary>Shortest key that is accepted, in bytes: as long as the hash, RFC 2104 section 3.</summary>
    public const int MinKeyBytes = 32;

    /// <summary>The first key signs; every key verifies. To rotate, put the new key first and drop the old one when its links have expired.</summary>
    [MinLength(1)]
    public IList<LinkSigningKey> Keys { get; } = [];
}

public sealed class LinkSigningKey
{
    /// <summary>Goes into the link in the clear: letters and digits, at most 16.</summary>
    [Required, RegularExpression("^[A-Za-z0-9]{1,16}$")]
    public string Id { get; set; } = "";

    /// <summary>Base64, at least 32 bytes of randomness.</summary>
    [Required]
    public string Secret { get; set; } = "";
}

/// <summary>The signing keys as bytes. Keys that must not be used keep a host from starting.</summary>
internal sealed class LinkKeys : IValidateOptions<LinkSigningOptions>
{
    public static IReadOnlyList<(string Id, byte[] Secret)> Read(LinkSigningOptions options) =>
        FindProblem(options) is { } why
            ? throw new OptionsValidationException(LinkSigningOptions.SectionName, typeof(LinkSigningOptions), [why])
            : [.. options.Keys.Select(key => (key.Id, Bytes(key.Secret)!))];

    public ValidateOptionsResult Validate(string? name, LinkSigningOptions options) =>
        FindProblem(options) is { } why ? ValidateOptionsResult.Fail(why) : ValidateOptionsResult.Success;

    private static string? FindProblem(LinkSigningOptions options)
    {
        if (options.Keys.Count == 0)
        {
            return "LinkSigning:Keys: there is no key. Approval links cannot be made without one.";
        }

        if (options.Keys.FirstOrDefault(key => key.Secret.StartsWith("@Microsoft.KeyVault(", StringComparison.OrdinalIgnoreCase)) is { } unresolved)
        {
            return $"LinkSigning:Keys: key '{unresolved.Id}' is still a reference to a vault, so App Service has not read it from there. Is the secret there, and may the app's identity read it? Then have it asked again with infra/scripts/refresh-secrets.sh.";
        }

        if (options.Keys.FirstOrDefault(key => Bytes(key.Secret) is not { Length: >= LinkSigningOptions.MinKeyBytes }) is { } bad)
        {
            return $"LinkSigning:Keys: key '{bad.Id}' has to be base64 of at least {LinkSigningOptions.MinKeyBytes} random bytes. Make one with: openssl rand -base64 32";
        }

        return options.Keys.GroupBy(key => key.Id, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } same
            ? $"LinkSigning:Keys: two keys are called '{same.Key}'."
            : null;
    }

    private static byte[]? Bytes(string secret)
    {
        var bytes = new byte[secret.Length];
        return Convert.TryFromBase64String(secret, bytes, out var length) ? bytes[..length] : null;
    }
}
