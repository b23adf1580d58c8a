using Microsoft.AspNetCore.Http;
using Runbooks.Engine;
using Runbooks.Model.Storage;

namespace Runbooks.Web.Http;

/// <summary><c>GET /healthz</c>: 200 when the engine and the store work.</summary>
public sealed class HealthHandler(IIncidentStore store, IIncidentEngine engine, HttpRequestRunner edge)
{
    public Task<IResult> GetAsync(HttpRequest request) => edge.RunAsync(
        request,
        async cancellationToken =>
        {
            var (storeProblem, engineProblem) = (await store.CheckHealthAsync(cancellationToken), await engine.CheckHealthAsync(cancellationToken));
            var healthy = storeProblem is null && engineProblem is null;
            request.HttpContext.Response.Headers.CacheControl = "no-store";
            return ApiResults.Json(
                new Health(healthy ? "healthy" : "unhealthy", storeProblem ?? "ok", engineProblem ?? "ok"),
                healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
        },
        Caller.Sender);

    private sealed record Health(string Status, string Store, string Engine);
}
