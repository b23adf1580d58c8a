using System.Buffers.Text;
using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Runbooks.Settings;

namespace Runbooks.SignedLinks;

/// <summary>Makes and checks the token of <c>/decide?token=</c>: a payload and its HMAC-SHA256, both base64url.</summary>
public sealed class LinkSigner
{
    /// <summary>A longer token is not ours and is not decoded.</summary>
    private const int MaxToken = 2_048;

    private readonly IReadOnlyList<(string Id, byte[] Secret)> _keys;

    /// <exception cref="OptionsValidationException">No key, an id given twice, or a key that is not base64 or too short.</exception>
    public LinkSigner(IOptions<LinkSigningOptions> options) => _keys = LinkKeys.Read(options.Value);

    public string Sign(LinkGrant grant) =>
        Sign(new Payload(_keys[0].Id, grant.IncidentId, grant.GateId, grant.Recipient, grant.PlanHash, grant.ExpiresAt.ToUnixTimeSeconds()));

    public string SignStorm(StormGrant grant) =>
        Sign(new StormPayload(_keys[0].Id, grant.StormId, grant.Since.UtcTicks, grant.Recipient, grant.ExpiresAt.ToUnixTimeSeconds()));

    /// <summary>
    /// Checks the signature only. The reader has to check whether the link has expired, since a late click shows how the gate ended, which
    /// needs the grant.
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

        // The payload is parsed before the signature is checked only to learn which key signed it.
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

        // Base64 has spare bits at the end, so two texts may decode to the same bytes. Only the text that we write is accepted.
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

    // The two payloads have no shared required members, so a ticket for one question opens no list, and a list decides nothing.
    private record Signed(string K);

    private sealed record Payload(string K, string I, string G, string R, string H, long E) : Signed(K);

    private sealed record StormPayload(string K, string S, long B, string R, long E) : Signed(K);
}

/// <summary>This person may decide this gate of this incident, on this plan, until then.</summary>
public sealed record LinkGrant(string IncidentId, string GateId, string Recipient, string PlanHash, DateTimeOffset ExpiresAt);

/// <summary>This person may see and decide the questions to them of the incidents of one storm.</summary>
public sealed record StormGrant(string StormId, DateTimeOffset Since, string Recipient, DateTimeOffset ExpiresAt);

/// <summary>Section <c>LinkSigning</c>: the keys that sign approval links.</summary>
public sealed class LinkSigningOptions
{
    public const string SectionName = "LinkSigning";

    /// <summary>The first key signs; every key verifies. To rotate, put the new key first and remove the old one when its links have expired.</summary>
    [MinLength(1)]
    public IList<LinkSigningKey> Keys { get; } = [];
}

public sealed class LinkSigningKey
{
    /// <summary>Readable in the link: letters and digits, at most 16.</summary>
    [Required, RegularExpression("^[A-Za-z0-9]{1,16}$")]
    public string Id { get; set; } = "";

    /// <summary>Base64 of at least 32 random bytes.</summary>
    [Required]
    public string Secret { get; set; } = "";
}

internal sealed class LinkKeys(IHostEnvironment? environment = null) : IValidateOptions<LinkSigningOptions>
{
    public static IReadOnlyList<(string Id, byte[] Secret)> Read(LinkSigningOptions options) =>
        FindProblem(options) is { } why
            ? throw new OptionsValidationException(LinkSigningOptions.SectionName, typeof(LinkSigningOptions), [why])
            : [.. options.Keys.Select(key => (key.Id, SigningKey.Read(key.Secret)!))];

    public ValidateOptionsResult Validate(string? name, LinkSigningOptions options) =>
        (FindProblem(options) ?? FindWeakness(options)) is { } why ? ValidateOptionsResult.Fail(why) : ValidateOptionsResult.Success;

    private static string? FindProblem(LinkSigningOptions options)
    {
        if (options.Keys.Count == 0)
        {
            return "LinkSigning:Keys: there is no key. Approval links cannot be made without one.";
        }

        if (options.Keys.FirstOrDefault(key => SigningKey.Read(key.Secret) is null) is { } bad)
        {
            return $"LinkSigning:Keys: key '{bad.Id}' has to be base64 of at least {SigningKey.MinBytes} random bytes. {SigningKey.Remedy}";
        }

        return options.Keys.GroupBy(key => key.Id, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } same
            ? $"LinkSigning:Keys: two keys are called '{same.Key}'."
            : null;
    }

    private string? FindWeakness(LinkSigningOptions options) => options.Keys
        .Select(key => SecretStrength.FindWeakness(key.Secret, SigningKey.Read(key.Secret)!, environment) is { } weakness
            ? $"LinkSigning:Keys, or the file link-key of the data folder: key '{key.Id}' can be guessed: {weakness}. {SigningKey.Remedy}"
            : null)
        .FirstOrDefault(why => why is not null);
}

/// <summary>The addresses of pages, and the signed link by which one recipient decides one gate.</summary>
public sealed class DecisionLinks(LinkSigner signer, IOptions<PublicAddressOptions> address)
{
    /// <summary>How long after a gate expires its link still opens, to say how the gate ended.</summary>
    private static readonly TimeSpan s_afterlife = TimeSpan.FromDays(1);

    public string For(Incident incident, Gate gate, string recipient) =>
        Root + PageOf(TicketFor(incident, gate, recipient));

    public string ForStorm(string stormId, DateTimeOffset since, DateTimeOffset expiresAt, string recipient) =>
        Root + PageOf(signer.SignStorm(new StormGrant(stormId, since, recipient, expiresAt + s_afterlife)));

    /// <summary>
    /// The page of a token. The token is in the query and has this name because traces of requests keep paths as they are. OpenTelemetry
    /// leaves out values of queries, and the Functions host leaves out values that are called a token.
    /// </summary>
    /// <seealso href="https://opentelemetry.io/docs/specs/semconv/attributes-registry/url/"/>
    public static string PageOf(string token) => $"/decide?token={token}";

    /// <summary>The token of <see cref="For"/> alone, for one question of a page with several.</summary>
    public string TicketFor(Incident incident, Gate gate, string recipient) => signer.Sign(GrantOf(incident, gate, recipient));

    /// <param name="runbookId">Only its incidents; null for all.</param>
    public string Console(string? runbookId) => runbookId is null ? $"{Root}/" : $"{Root}/?runbook={Uri.EscapeDataString(runbookId)}";

    /// <summary>A page that shows an incident and cannot decide.</summary>
    public string IncidentPage(string incidentId) => $"{Root}/incidents/{Uri.EscapeDataString(incidentId)}";

    public string ReportPage(string incidentId) => $"{IncidentPage(incidentId)}/report";

    private static LinkGrant GrantOf(Incident incident, Gate gate, string recipient) =>
        new(incident.Id, gate.Id, recipient, gate.Plan.Hash, gate.ExpiresAt + s_afterlife);

    private string Root => address.Value.PublicUrl.TrimEnd('/');
}

public sealed class PublicAddressOptions : IValidatableObject
{
    public const string SectionName = "Runbooks";

    /// <summary>
    /// The address of this system in people's browsers: <c>https://runbooks.example.com</c>. It has a host of its own and no path, since
    /// pages and the buttons on them are below its root.
    /// </summary>
    [Required]
    public string PublicUrl { get; set; } = "http://localhost:7071";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Uri.TryCreate(PublicUrl, UriKind.Absolute, out var url)
        && url is { Scheme: "http" or "https", PathAndQuery: "/", Fragment: "", UserInfo: "" }
            ? []
            : [new("It has to be a whole address without a path, such as https://runbooks.example.com.", [nameof(PublicUrl)])];
}
