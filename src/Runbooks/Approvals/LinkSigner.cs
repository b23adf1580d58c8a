using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Runbooks.Approvals;

/// <summary>Makes and checks the token of <c>/decide/{token}</c>: a payload and its HMAC-SHA256, both base64url.</summary>
public sealed class LinkSigner
{
    /// <summary>A longer token is none of ours and is not even decoded.</summary>
    private const int MaxToken = 2_048;

    private readonly List<(string Id, byte[] Secret)> _keys;

    /// <exception cref="OptionsValidationException">No key, an id given twice, or a key that is not base64 or too short.</exception>
    public LinkSigner(IOptions<LinkSigningOptions> options) => _keys = Read(options.Value);

    public string Sign(LinkGrant grant)
    {
        var key = _keys[0];
        var payload = JsonSerializer.SerializeToUtf8Bytes(new Payload(
            key.Id, grant.IncidentId, grant.GateId, grant.Recipient, grant.PlanHash, grant.ExpiresAt.ToUnixTimeSeconds()));
        return $"{Base64Url.EncodeToString(payload)}.{Base64Url.EncodeToString(HMACSHA256.HashData(key.Secret, payload))}";
    }

    /// <summary>
    /// Checks the signature only. Whether the link has expired is the reader's to ask: a late click is told how the gate
    /// ended, which needs the grant.
    /// </summary>
    public bool TryRead(string token, [NotNullWhen(true)] out LinkGrant? grant)
    {
        grant = null;
        var dot = token.Length <= MaxToken ? token.IndexOf('.', StringComparison.Ordinal) : -1;
        if (dot < 0 || !TryDecode(token.AsSpan(0, dot), out var payload) || !TryDecode(token.AsSpan(dot + 1), out var signature))
        {
            return false;
        }

        // The payload is parsed to learn which key is meant; nothing else in it is used before the signature is checked.
        if (Parse(payload) is not { } read || _keys.FirstOrDefault(key => key.Id == read.K) is not { Secret: { } secret })
        {
            return false;
        }

        if (!CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(secret, payload), signature))
        {
            return false;
        }

        grant = new LinkGrant(read.I, read.G, read.R, read.H, DateTimeOffset.FromUnixTimeSeconds(read.E));
        return true;
    }

    private static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        if (!Base64Url.IsValid(text))
        {
            return false;
        }

        bytes = Base64Url.DecodeFromChars(text);

        // Base64 has spare bits at the end: two texts may decode to the same bytes. Only the one we wrote is ours.
        return text.SequenceEqual(Base64Url.EncodeToString(bytes));
    }

    private static Payload? Parse(byte[] payload)
    {
        try
        {
            var read = JsonSerializer.Deserialize<Payload>(payload);
            return read is { K: not null, I: not null, G: not null, R: not null, H: not null } ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static List<(string Id, byte[] Secret)> Read(LinkSigningOptions options)
    {
        var keys = new List<(string Id, byte[] Secret)>();
        foreach (var key in options.Keys)
        {
            var secret = new byte[key.Secret.Length];
            if (!Convert.TryFromBase64String(key.Secret, secret, out var length) || length < LinkSigningOptions.MinKeyBytes)
            {
                throw Invalid($"key '{key.Id}' has to be base64 of at least {LinkSigningOptions.MinKeyBytes} random bytes. Make one with: openssl rand -base64 32");
            }

            if (keys.Exists(known => known.Id == key.Id))
            {
                throw Invalid($"two keys are called '{key.Id}'.");
            }

            keys.Add((key.Id, secret[..length]));
        }

        return keys.Count > 0 ? keys : throw Invalid("there is no key. Approval links cannot be made without one.");
    }

    private static OptionsValidationException Invalid(string why) =>
        new(LinkSigningOptions.SectionName, typeof(LinkSigningOptions), [$"{LinkSigningOptions.SectionName}:Keys: {why}"]);

    private sealed record Payload(string K, string I, string G, string R, string H, long E);
}
