using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TestKit;

namespace Infra.Tests;

/// <summary>The dashboards ask for what docs/telemetry.md lists: a metric by another name would be an empty panel that nobody misses.</summary>
public partial class DashboardTests
{
    private static readonly List<string[]> s_metrics = Rows("Metrics");
    private static readonly HashSet<string> s_attributes = [.. Attribute().Matches(Page()).Select(match => match.Groups[1].Value)];

    private static JsonObject Grafana { get; } = JsonNode.Parse(File.ReadAllText(RepositoryRoot.Of("infra", "grafana", "runbooks.json")))!.AsObject();

    private static JsonObject Workbook { get; } = JsonNode.Parse(File.ReadAllText(RepositoryRoot.Of("infra", "bicep", "modules", "workbook.json")))!.AsObject();

    [Fact]
    public void Grafana_AsksForEveryMetricOfThePage_AndForNoOther()
    {
        var asked = Panels().SelectMany(panel => panel["targets"]!.AsArray()).SelectMany(target => Series().Matches($"{target!["expr"]}").Select(match => match.Value)).ToHashSet();
        var known = s_metrics.SelectMany(cells => cells[2] == "histogram" ? new[] { $"{cells[1]}_bucket", $"{cells[1]}_count" } : [cells[1]]).ToList();

        asked.Except(known).ShouldBeEmpty();
        s_metrics.Where(cells => !asked.Any(name => name.StartsWith(cells[1], StringComparison.Ordinal))).ShouldBeEmpty();
    }

    [Fact]
    public void Grafana_LabelsAreAttributesOfThatMetric()
    {
        foreach (var expression in Panels().SelectMany(panel => panel["targets"]!.AsArray()).Select(target => $"{target!["expr"]}"))
        {
            var name = Series().Match(expression).Value;
            var attributes = s_metrics.Single(cells => name.StartsWith(cells[1], StringComparison.Ordinal) && name[cells[1].Length..] is "" or "_bucket" or "_count")[4]
                .Split(", ").Select(attribute => attribute.Replace('.', '_')).Append("le");
            Labels().Matches(expression).Select(match => match.Value).Except([.. attributes, name]).ShouldBeEmpty(expression);
        }
    }

    /// <summary>What Grafana needs to open it as it is: panels that do not overlap, each with its own id, on the chosen data source.</summary>
    [Fact]
    public void Grafana_OpensAsItIs()
    {
        var panels = Grafana["panels"]!.AsArray().Select(panel => panel!).ToList();
        panels.Select(panel => panel["id"]!.GetValue<int>()).ShouldBeUnique();
        panels.SelectMany(Cells).ShouldBeUnique();
        panels.SelectMany(Cells).ShouldAllBe(cell => cell.X >= 0 && cell.X < 24);
        Panels().ShouldAllBe(panel => $"{panel["datasource"]!["uid"]}" == "${datasource}" && $"{panel["title"]}".Length > 0 && $"{panel["description"]}".Length > 0);
        var variables = Grafana["templating"]!["list"]!.AsArray().Select(variable => $"{variable!["name"]}");
        Variables().Matches(Grafana.ToJsonString()).Select(match => match.Groups[1].Value).Distinct().Where(name => !name.StartsWith("__", StringComparison.Ordinal)).Except(variables).ShouldBeEmpty();

        static IEnumerable<(int X, int Y)> Cells(JsonNode panel) =>
            from x in Enumerable.Range(Number(panel, "x"), Number(panel, "w"))
            from y in Enumerable.Range(Number(panel, "y"), Number(panel, "h"))
            select (x, y);

        static int Number(JsonNode panel, string key) => panel["gridPos"]![key]!.GetValue<int>();
    }

    [Fact]
    public void Workbook_AsksForEveryMetricOfThePage_AndForNoOther()
    {
        var queries = Queries().ToList();
        var asked = queries.SelectMany(query => Quoted().Matches(query).Select(match => match.Groups[1].Value)).ToHashSet();
        var spans = Rows("Traces").Select(cells => cells[0]).ToHashSet();

        s_metrics.Select(cells => cells[0]).Except(asked).ShouldBeEmpty();
        asked.Where(name => name.StartsWith("runbook.", StringComparison.Ordinal)).Except(s_metrics.Select(cells => cells[0])).Except(s_attributes).ShouldBeEmpty();
        queries.Where(query => query.StartsWith("requests", StringComparison.Ordinal)).SelectMany(query => SpanName().Matches(query).Select(match => match.Groups[1].Value)).ShouldAllBe(name => spans.Contains(name));
    }

    /// <summary>Metrics are named by <c>where name ==</c> and attributes stand in <c>customDimensions</c>; one of them in the place of the other finds nothing.</summary>
    [Fact]
    public void Workbook_DimensionsAreAttributesOfThatMetric()
    {
        foreach (var query in Queries().Where(query => query.StartsWith("customMetrics", StringComparison.Ordinal)))
        {
            var names = Quoted().Matches(query.Split('\n')[1]).Select(match => match.Groups[1].Value).ToList();
            foreach (var name in names)
            {
                var attributes = s_metrics.Single(cells => cells[0] == name)[4].Split(", ");
                Dimension().Matches(query).Select(match => match.Groups[1].Value).Except(attributes).ShouldBeEmpty(query);
            }
        }
    }

    [Fact]
    public void Workbook_HasTheFormThatAzureOpens()
    {
        // Of the published schema: a version, and items that are text (1), a query (3) or parameters (9), each with its content.
        Workbook["version"]!.ToString().ShouldBe("Notebook/1.0");
        var items = Workbook["items"]!.AsArray().Select(item => item!).ToList();
        items.ShouldAllBe(item => item["type"]!.GetValue<int>() == 1 ? item["content"]!["json"] != null
            : item["type"]!.GetValue<int>() == 3 ? $"{item["content"]!["version"]}" == "KqlItem/1.0" && item["content"]!["query"] != null && $"{item["content"]!["timeContextFromParameter"]}" == "TimeRange"
            : item["type"]!.GetValue<int>() == 9 && item["content"]!["parameters"]!.AsArray().Count == 2);
        items.Select(item => $"{item["name"]}").ShouldBeUnique();
    }

    private static IEnumerable<JsonNode> Panels() => Grafana["panels"]!.AsArray().Select(panel => panel!).Where(panel => $"{panel["type"]}" != "row");

    private static IEnumerable<string> Queries() => Workbook["items"]!.AsArray().Where(item => item!["type"]!.GetValue<int>() == 3).Select(item => $"{item!["content"]!["query"]}");

    private static string Page() => File.ReadAllText(RepositoryRoot.Of("docs", "telemetry.md"));

    private static List<string[]> Rows(string heading) =>
        [.. Page().Split($"\n## {heading}\n")[1].Split("\n## ")[0].Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Replace("`", "", StringComparison.Ordinal).Split('|').Select(cell => cell.Trim()).ToArray())];

    [GeneratedRegex(@"`(runbook\.[a-z_.]+)`")]
    private static partial Regex Attribute();

    [GeneratedRegex(@"runbook_[a-z_]+(?=[{\[])")]
    private static partial Regex Series();

    [GeneratedRegex(@"\brunbook_[a-z_]+\b|\ble\b")]
    private static partial Regex Labels();

    [GeneratedRegex(@"(?<!\{)\$\{?(\w+)")]
    private static partial Regex Variables();

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();

    [GeneratedRegex("where name == \"([^\"]+)\"")]
    private static partial Regex SpanName();

    [GeneratedRegex(@"customDimensions\[""([^""]+)""\]")]
    private static partial Regex Dimension();
}
