using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Support;

/// <summary>A Prometheus made by hand, for what the sandbox does not play.</summary>
internal static class PrometheusAnswers
{
    public static string QueryOf(HttpContext context) => context.Request.Query["query"].ToString();

    /// <summary>Whether the question is for a time, and not for now.</summary>
    public static bool IsRange(HttpContext context) => context.Request.Path.Value!.EndsWith("query_range", StringComparison.Ordinal);

    /// <param name="series">Labels, and points: of a question for now only the last one is told.</param>
    public static Task WriteAsync(HttpContext context, IEnumerable<(object Labels, (int At, string Value)[] Points)> series)
    {
        static object[] Pair((int At, string Value) point) => [point.At, point.Value];
        var (type, result) = IsRange(context)
            ? ("matrix", series.Select(one => (object)new { metric = one.Labels, values = one.Points.Select(Pair) }))
            : ("vector", series.Select(one => new { metric = one.Labels, value = Pair(one.Points[^1]) }));
        return context.Response.WriteAsJsonAsync(new { status = "success", data = new { resultType = type, result } });
    }

    /// <summary>Asks a check with this server in the place of Prometheus.</summary>
    public static async Task<CheckResult> AskAsync(this AnsweringServer prometheus, string check, object with)
    {
        await using var services = prometheus.Services(services => services.AddPrometheus().AddModelServers().AddGpu(), ("Prometheus:Endpoints:p:Url", prometheus.Url));
        var found = services.GetServices<ICheck>().Single(one => one.Name == check);
        var bound = ParameterBinder.Bind(JsonSerializer.SerializeToNode(with)!.AsObject(), found.ParametersType);
        bound.Errors.ShouldBeEmpty();
        return await found.AskAsync(bound.Value!, prometheus.Step(), TestContext.Current.CancellationToken);
    }
}
