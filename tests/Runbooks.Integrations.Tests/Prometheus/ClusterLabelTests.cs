using System.Text.Json.Nodes;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Prometheus;

/// <summary>One Azure Monitor workspace has the series of two clusters, in which the same names stand for different things.</summary>
public sealed class ClusterLabelTests : WithServer
{
    private readonly List<string> _asked = [];

    private Task<CheckResult> AskAsync(string check, object with)
    {
        _server.Answer = context =>
        {
            var query = PrometheusAnswers.QueryOf(context);
            _asked.Add(query);
            var value = query.Contains("XID", StringComparison.Ordinal) ? "0" : "1";
            return PrometheusAnswers.WriteAsync(context, new[] { "aks-a", "aks-b" }
                .Where(cluster => !query.Contains("cluster=\"", StringComparison.Ordinal) || query.Contains($"cluster=\"{cluster}\"", StringComparison.Ordinal))
                .Select(cluster => ((object)new { cluster, @namespace = "n", pod = "llm-0", gpu = "0" }, new[] { (1, value) })));
        };
        return _server.AskAsync(check, with);
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
