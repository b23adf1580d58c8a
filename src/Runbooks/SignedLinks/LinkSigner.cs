using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Runbooks.SignedLinks;

/// <summary>Makes and checks the token of <c>/decide?token=</c>: a payload and its HMAC-SHA256, both base64url.</summary>
public sealed class LinkSigner
{
    /// <summary>A longer token is none of ours and is not even decoded.</summary>
    private const int MaxToken = 2_048;

    private readonly IReadOnlyList<(string Id, byte[] Secret)> _keys;

    /// <exception cref="OptionsValidationException">No key, an id given twice, or a key that is not base64 or too short.</exception>
    public LinkSigner(IOptions<LinkSigningOptions> options) => _keys = LinkKeys.Read(options.Value);

    public string Sign(LinkGrant grant) =>
        Sign(new Payload(_keys[0].Id, grant.IncidentId, grant.GateId, grant.Recipient, grant.PlanHash, grant.ExpiresAt.ToUnixTimeSeconds()));

    public string SignStorm(StormGrant grant) =>
        Sign(new StormPayload(_keys[0].Id, grant.StormId, grant.Since.UtcTicks, grant.Recipient, grant.ExpiresAt.ToUnixTimeSeconds()));

    /// <summary>
    /// Checks the signature only. Whether the link has expired is the reader's to ask: a late click is told how the gate
    /// ended, which needs the grant.
    /// </summary>
    public bool TryRead(string token, [NotNullWhen(true)] out LinkGrant? grant)
    {
        grant = Read<Payload>(token) is { I: not null, G: not null, R: not null, H: not null } read
            ? new LinkGrant(read.I, read.G, read.R, read.H, DateTimeOffset.FromUnixTimeSeconds(read.E))
            : null;
        return grant is not null;
    }

    /// <inheritdoc cref="TryRead"/>
    public bool TryReadStorm(string token, [NotNullWhen(true)] out StormGrant? grant)
    {
        grant = Read<StormPayload>(token) is { S: not null, R: not null } read
            ? new StormGrant(read.S, new DateTimeOffset(read.B, TimeSpan.Zero), read.R, DateTimeOffset.FromUnixTimeSeconds(read.E))
            : null;
        return grant is not null;
    }

    private string Sign<T>(T content)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(content);
        return $"{Base64Url.EncodeToString(payload)}.{Base64Url.EncodeToString(HMACSHA256.HashData(_keys[0].Secret, payload))}";
    }

    private T? Read<T>(string token)
        where T : Signed
    {
        var dot = token.Length <= MaxToken ? token.IndexOf('.', StringComparison.Ordinal) : -1;
        if (dot < 0 || !TryDecode(token.AsSpan(0, dot), out var payload) || !TryDecode(token.AsSpan(dot + 1), out var signature))
        {
            return null;
        }

        // The payload is parsed to learn which key is meant; nothing else in it is used before the signature is checked.
        return Parse<T>(payload) is { } read
            && _keys.FirstOrDefault(key => key.Id == read.K) is { Secret: { } secret }
            && CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(secret, payload), signature)
                ? read
                : null;
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

    private static T? Parse<T>(byte[] payload)
        where T : Signed
    {
        try
        {
            return JsonSerializer.Deserialize<T>(payload);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // No member of one is enough for the other: a ticket for one question opens no list, and a list decides nothing.
    private record Signed(string K);

    private sealed record Payload(string K, string I, string G, string R, string H, long E) : Signed(K);

    private sealed record StormPayload(string K, string S, long B, string R, long E) : Signed(K);
}

/// <summary>What a signed link says: this person may decide this gate of this incident, on this plan, until then.</summary>
public sealed record LinkGrant(string IncidentId, string GateId, string Recipient, string PlanHash, DateTimeOffset ExpiresAt);

/// <summary>What a storm's link says: this person may see, and decide, what the incidents of one storm ask them.</summary>
public sealed record StormGrant(string StormId, DateTimeOffset Since, string Recipient, DateTimeOffset ExpiresAt);
