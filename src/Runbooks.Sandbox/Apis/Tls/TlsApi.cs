using System.Text.Json;
using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Tls;

/// <summary>
/// A server certificate that is about to expire, shown to whoever begins a TLS handshake on the sandbox's port, until
/// <c>POST /tls/_renew</c> puts another in its place.
/// </summary>
internal sealed class TlsApi([FromKeyedServices(TlsApi.Began)] FirstAsked began, SandboxChanges changes, TimeProvider time) : SandboxApi("tls"), IRemembered
{
    public const string Began = "tls/began";

    private static readonly TimeSpan s_left = TimeSpan.FromDays(12);
    private static readonly TimeSpan s_lasts = TimeSpan.FromDays(90);
    private DateTimeOffset? _renewedUntil;

    string IRemembered.Key => "tls/renewed";

    public DateTimeOffset ExpiresAt => _renewedUntil ?? began.At + s_left;

    /// <summary>Whether it lasts for less than three weeks, now or once somebody looks.</summary>
    public bool ExpiresSoon => (_renewedUntil ?? (began.Known ?? time.GetUtcNow()) + s_left) < time.GetUtcNow() + TimeSpan.FromDays(21);

    /// <summary>Another one in its place; a negative time for one that has expired.</summary>
    public void Renew(TimeSpan? lasts = null)
    {
        _renewedUntil = time.GetUtcNow() + (lasts ?? s_lasts);
        changes.Touch();
    }

    public override void Map(IEndpointRouteBuilder routes) => routes.MapPost("/_renew", (Renewal? renewal) =>
    {
        Renew(renewal?.Days is { } days ? TimeSpan.FromDays(days) : null);
        return Results.NoContent();
    });

    public override object Describe() => new { expiresAt = _renewedUntil ?? began.Known + s_left };

    public override void Reset()
    {
        _renewedUntil = null;
        began.Reset();
    }

    public override IResult Error(int status, HttpRequest request) => Results.StatusCode(status);

    JsonNode? IRemembered.Save() => JsonSerializer.SerializeToNode(_renewedUntil);

    void IRemembered.Load(JsonNode saved) => _renewedUntil = saved.Deserialize<DateTimeOffset?>();

    /// <param name="Days">How long the new one lasts; negative for one that has expired.</param>
    internal sealed record Renewal(int? Days);
}
