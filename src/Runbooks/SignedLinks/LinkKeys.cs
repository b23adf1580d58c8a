using Microsoft.Extensions.Options;

namespace Runbooks.SignedLinks;

/// <summary>The signing keys as bytes. Keys that must not be used keep a host from starting.</summary>
internal sealed class LinkKeys : IValidateOptions<LinkSigningOptions>
{
    public static IReadOnlyList<(string Id, byte[] Secret)> Read(LinkSigningOptions options) =>
        Objection(options) is { } why
            ? throw new OptionsValidationException(LinkSigningOptions.SectionName, typeof(LinkSigningOptions), [why])
            : [.. options.Keys.Select(key => (key.Id, Bytes(key.Secret)!))];

    public ValidateOptionsResult Validate(string? name, LinkSigningOptions options) =>
        Objection(options) is { } why ? ValidateOptionsResult.Fail(why) : ValidateOptionsResult.Success;

    private static string? Objection(LinkSigningOptions options)
    {
        if (options.Keys.Count == 0)
        {
            return "LinkSigning:Keys: there is no key. Approval links cannot be made without one.";
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
