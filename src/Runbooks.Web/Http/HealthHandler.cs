using Runbooks.Engine;
using Runbooks.Publishing;

namespace Runbooks.Web.Http;

/// <summary><c>GET /healthz</c>: 200 when the engine and the store work.</summary>
public sealed class HealthHandler(IIncidentStore store, IIncidentEngine engine, RuleSetStatus status, HttpRequestRunner runner)
{
    public Task<IResult> GetAsync(HttpRequest request) => runner.RunAsync(
        request,
        async cancellationToken =>
        {
            var problems = await Task.WhenAll(store.CheckHealthAsync(cancellationToken), engine.CheckHealthAsync(cancellationToken));
            var (storeProblem, engineProblem) = (problems[0] ?? store.Damage, problems[1]);
            var healthy = storeProblem is null && engineProblem is null;
            return ApiResults.Json(
                new Health(healthy ? "healthy" : "unhealthy", storeProblem ?? "ok", engineProblem ?? "ok", Rules()),
                healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
        },
        Caller.Sender);

    /// <summary>Numbers and hashes only: the address is open to everybody. A refused set is no reason to take the host out of service.</summary>
    private RulesInForce? Rules() => status.InForce is null && status.Refused is null
        ? null
        : new(status.InForce?.Number, status.InForce?.Version, status.InForce?.At, status.Refused?.Publication.Number);

    private sealed record Health(string Status, string Store, string Engine, RulesInForce? RuleSet);

    /// <param name="Publication">The number of the one in force; null while plain files are.</param>
    /// <param name="Refused">The number of the newest one, when it cannot be used here.</param>
    private sealed record RulesInForce(int? Publication, string? Version, DateTimeOffset? At, int? Refused);
}
