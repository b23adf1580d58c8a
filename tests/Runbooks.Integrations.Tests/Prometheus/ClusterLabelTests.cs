using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tests.Notifications;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Prometheus;

/// <summary>One Azure Monitor workspace has the series of two clusters, in which the same names stand for different things.</summary>
public sealed class ClusterLabelTests : IAsyncLifetime
{
    private ChannelServer _prometheus = null!;
    private readonly List<string> _asked = [];

    public async ValueTask InitializeAsync() => _prometheus = await ChannelServer.StartAsync();

    public ValueTask DisposeAsync() => _prometheus.DisposeAsync();

    private async Task<CheckResult> AskAsync(string check, object with)
    {
        _prometheus.Answer = context =>
        {
            var query = context.Request.Query["query"].ToString();
            _asked.Add(query);
            var isRange = context.Request.Path.Value!.EndsWith("query_range", StringComparison.Ordinal);
            var value = query.Contains("XID", StringComparison.Ordinal) ? 0 : 1;
            return context.Response.WriteAsync($$$"""{"status":"success","data":{"resultType":"{{{(isRange ? "matrix" : "vector")}}}","result":[{{{string.Join(',', new[] { "aks-a", "aks-b" }
                .Where(cluster => !query.Contains("cluster=\"", StringComparison.Ordinal) || query.Contains($"cluster=\"{cluster}\"", StringComparison.Ordinal))
                .Select(cluster => $$"""{"metric":{"cluster":"{{cluster}}","namespace":"n","pod":"llm-0","gpu":"0"},{{(isRange ? $"\"values\":[[1,\"{value}\"]]" : $"\"value\":[1,\"{value}\"]")}}}"""))}}}]}}""");
        };
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Prometheus:Endpoints:p:Url"] = _prometheus.Url }).Build();
        await using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddSingleton<TimeProvider>(_prometheus.Time).AddPrometheus().AddModelServers().AddGpu().BuildServiceProvider();
        var found = services.GetServices<ICheck>().Single(one => one.Name == check);
        var bound = ParameterBinder.Bind(JsonSerializer.SerializeToNode(with)!.AsObject(), found.ParametersType);
        bound.Errors.ShouldBeEmpty();
        return await found.AskAsync(bound.Value!, _prometheus.Step(), TestContext.Current.CancellationToken);
    }

    private static JsonObject With(string check, string? cluster)
    {
        var with = check == "gpu.health" ? new JsonObject { ["node"] = "node-1" } : new JsonObject { ["namespace"] = "n", ["pod"] = "llm-0" };
        if (check == "llm.latency")
        {
            with["failing"] = "> 3";
        }

        if (cluster is not null)
        {
            with["cluster"] = cluster;
        }

        return with;
    }

    [Theory]
    [InlineData("gpu.health", "of node node-1")]
    [InlineData("vllm.health", "of pod n/llm-0")]
    [InlineData("tgi.health", "of pod n/llm-0")]
    [InlineData("llm.latency", "of pod n/llm-0")]
    public async Task SameNameInTwoClusters_IsUnknownUntilOneIsNamed(string check, string of)
    {
        (await AskAsync(check, With(check, null))).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldBe($"There are series {of} from several clusters: aks-a, aks-b. Say which one is meant, as 'cluster'."));

        _asked.Clear();
        (await AskAsync(check, With(check, "aks-b"))).Summary.ShouldNotContain("several clusters");
        _asked.ShouldNotBeEmpty();
        _asked.ShouldAllBe(query => query.Contains("cluster=\"aks-b\"", StringComparison.Ordinal));
    }
}
