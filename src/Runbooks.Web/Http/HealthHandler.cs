using Runbooks.Publishing;
using Runbooks.Watchdog;

namespace Runbooks.Web.Http;

/// <summary><c>GET /healthz</c>: 200 when the engine and the store work.</summary>
public sealed class HealthHandler(IIncidentStore store, SystemHealth health, RuleSetStatus status, HttpRequestRunner runner)
{
    public Task<IResult> GetAsync(HttpRequest request) => runner.RunAsync(
        request,
        async cancellationToken =>
        {
            var (ofStore, ofEngine) = await health.FindRecentAsync(cancellationToken);
            ofStore ??= store.Damage;
            var healthy = ofStore is null && ofEngine is null;
            return ApiResults.Json(
                new Health(healthy ? "healthy" : "unhealthy", ofStore ?? "ok", ofEngine ?? "ok", Rules()),
                healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
        },
        Caller.Sender);

    /// <summary>Numbers and hashes only, since the address is open to everybody. A refused set does not make the host unhealthy.</summary>
    private RulesInForce? Rules() => status.InForce is null && status.Refused is null
        ? null
        : new(status.InForce?.Number, status.InForce?.Version, status.InForce?.At, status.Refused?.Publication.Number);

    private sealed record Health(string Status, string Store, string Engine, RulesInForce? RuleSet);

    /// <param name="Publication">The number of the set in force; null while plain files are.</param>
    /// <param name="Refused">The number of the newest set, when it cannot be used here.</param>
    private sealed record RulesInForce(int? Publication, string? Version, DateTimeOffset? At, int? Refused);
}
