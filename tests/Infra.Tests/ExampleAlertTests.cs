using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TestKit;
using YamlDotNet.RepresentationModel;

namespace Infra.Tests;

/// <summary>An alert that names a runbook which is not there, or which lacks a label that the runbook asks for, heals nothing.</summary>
public partial class ExampleAlertTests
{
    private static readonly IReadOnlyDictionary<string, string> _shipped = Directory.EnumerateFiles(RepositoryRoot.Of("runbooks"), "*.yaml")
        .Where(file => !file.EndsWith(".test.yaml", StringComparison.Ordinal) && Path.GetFileName(file) != "contacts.yaml")
        .ToDictionary(file => Path.GetFileNameWithoutExtension(file), File.ReadAllText);

    /// <summary>Events come by a subscription, with no alert rule between.</summary>
    private static IEnumerable<string> StartedByARule => _shipped.Where(runbook => runbook.Value.Contains("source: azure-monitor", StringComparison.Ordinal)).Select(runbook => runbook.Key);

    [Fact]
    public async Task EveryShippedRunbookThatARuleStarts_HasOneExampleAndNothingElseIsNamed() =>
        (await ExamplesAsync()).Select(example => example.Runbook).Distinct().ShouldBe(StartedByARule, ignoreOrder: true);

    [Fact]
    public async Task Example_CarriesEveryLabelThatItsRunbookAsksFor()
    {
        foreach (var example in await ExamplesAsync())
        {
            Label().Matches(_shipped[example.Runbook]).Select(match => match.Groups[1].Value).Distinct()
                .Except(example.Labels).ShouldBeEmpty(example.Runbook);
        }
    }

    /// <summary>A completion of another deployment says nothing about the one that turns requests away.</summary>
    [Fact]
    public async Task DeploymentWhoseThroughputIsUsedUp_IsTheOneThatItsProviderAsks()
    {
        var plan = await Plan.OfAsync(Plan.Production);
        var properties = plan.All("Microsoft.Insights/metricAlerts").Select(rule => rule.Properties["actions"]![0]!["webHookProperties"]).OfType<JsonNode>()
            .Single(properties => (string?)properties["runbook"] == "throughput-used-up");

        plan.AppSettings()[$"LlmProvider__Providers__{properties["provider"]}__Model"].ShouldBe((string?)properties["deployment"]);
    }

    /// <summary>The gauge keeps a GPU's last XID: fired by a program's error, the alert would stay so, and the fault after it would be no new one.</summary>
    [Fact]
    public async Task GpuNodeFault_FiresForWhatIsFatalAndNothingElse()
    {
        var rule = (string)(await Plan.OfAsync(Plan.Production)).All("Microsoft.AlertsManagement/prometheusRuleGroups").SelectMany(group => group.Properties["rules"]!.AsArray())
            .Single(rule => (string)rule!["alert"]! == "GpuNodeFault")!["expression"]!;

        rule.ShouldNotContain("> 0");
        Xid().Matches(rule).Select(match => match.Value).ShouldBe(Xid().Matches(_shipped["gpu-node-fault"]).Select(match => match.Value));
    }

    /// <summary>blackbox exporter tells nothing of a certificate that it trusts no more: at its end no rule would have anything to compare, and each would say that all is well.</summary>
    [Fact]
    public async Task CertificateThatHasExpired_IsStillKnownToEachOfItsRules()
    {
        var rules = (await Plan.OfAsync(Plan.Production)).All("Microsoft.AlertsManagement/prometheusRuleGroups").SelectMany(group => group.Properties["rules"]!.AsArray())
            .Select(rule => (string)rule!["expression"]!).Where(rule => rule.Contains("probe_ssl", StringComparison.Ordinal)).ToList();

        rules.Count.ShouldBe(3);
        rules.ShouldAllBe(rule => rule.Contains("last_over_time(probe_ssl_earliest_cert_expiry[1d])", StringComparison.Ordinal));
    }

    /// <summary>The runbook looks at one folder's disk and tidies that: an alert about another disk would have the wrong one tidied, and called mended.</summary>
    [Fact]
    public async Task DiskThatIsAlmostFull_IsTheOneOfTheFolderThatIsTidied()
    {
        var rule = (await Plan.OfAsync(Plan.Production)).All("Microsoft.Insights/scheduledQueryRules")
            .Single(rule => (string?)rule.Properties["actions"]!["customProperties"]?["runbook"] == "disk-full");

        ((string?)rule.Properties["actions"]!["customProperties"]!["folder"]).ShouldBe("/tmp");
        ((string?)rule.Properties["criteria"]!["allOf"]![0]!["query"]).ShouldNotBeNull().ShouldContain("| where disk == \"/\"");
    }

    /// <summary>A check that may not read what it asks about is unknown for ever: what it verifies is taken back although it helps, what it holds is never given back.</summary>
    [Fact]
    public async Task WhatTheRunbookOfAnExampleReads_IsGrantedToTheApp()
    {
        const string logAnalyticsReader = "73c42c96-874c-492b-b04d-ab87d138a893";
        var plan = await Plan.OfAsync(Plan.Production);
        var asked = plan.All("Microsoft.Insights/metricAlerts").Select(rule => rule.Properties["actions"]![0]!["webHookProperties"]).OfType<JsonNode>()
            .Concat(plan.All("Microsoft.Insights/scheduledQueryRules").Select(rule => rule.Properties["actions"]!["customProperties"]).OfType<JsonNode>())
            .Where(labels => labels["runbook"] is not null)
            .SelectMany(labels => Checks((string)labels["runbook"]!).Select(check => (Runbook: (string)labels["runbook"]!, check.Check, Resource: (string)labels[check.Label]!)))
            .ToList();

        asked.Select(one => one.Check).Distinct().ShouldBe(["azureMonitor.metric", "resourceHealth", "azureMonitor.logs"], ignoreOrder: true);
        foreach (var (runbook, check, resource) in asked)
        {
            // A workspace is asked by its own id, which is no resource's.
            (check == "azureMonitor.logs" ? Roles(plan, "").Contains(logAnalyticsReader) : MayRead(plan, resource, check)).ShouldBeTrue($"{check} of {runbook} on {resource}");
        }
    }

    /// <summary>The checks of a runbook that read a resource or a workspace that a label of the alert names.</summary>
    private static IEnumerable<(string Check, string Label)> Checks(string runbook)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(_shipped[runbook]));
        foreach (var check in ((YamlMappingNode)yaml.Documents[0].RootNode["diagnosis"]).Children.Values.OfType<YamlMappingNode>())
        {
            var name = check["check"].ToString();
            if (name is "azureMonitor.metric" or "resourceHealth" or "azureMonitor.logs")
            {
                yield return (name, Label().Match(check["with"][name == "azureMonitor.logs" ? "workspace" : "resource"].ToString()).Groups[1].Value);
            }
        }
    }

    private static bool MayRead(Plan plan, string resource, string check)
    {
        const string monitoringReader = "43d0d8ad-25c7-4714-9337-8ba259a9fe05";
        var operation = check == "resourceHealth" ? "Microsoft.ResourceHealth/availabilityStatuses/read" : "Microsoft.Insights/metrics/read";
        var narrow = plan.All("Microsoft.Authorization/roleDefinitions")
            .Where(role => role.Properties["permissions"]![0]!["actions"]!.AsArray().Any(action => (string)action! == operation)).Select(role => role.Name);
        return Roles(plan, resource).Intersect([monitoringReader, .. narrow]).Any();
    }

    private static IEnumerable<string> Roles(Plan plan, string resource) => plan.All("Microsoft.Authorization/roleAssignments")
        .Where(role => role.Scope.EndsWith(resource, StringComparison.OrdinalIgnoreCase)).Select(role => ((string)role.Properties["roleDefinitionId"]!).Split('/')[^1]);

    private static async Task<List<Example>> ExamplesAsync()
    {
        var plan = await Plan.OfAsync(Plan.Production);
        return
        [
            .. plan.All("Microsoft.Insights/metricAlerts").Where(rule => rule.Properties["actions"]![0]!["webHookProperties"] is not null).Select(rule => Read(
                rule.Properties["actions"]![0]!["webHookProperties"]!, rule.Properties["criteria"]!["allOf"]![0]!)),
            .. plan.All("Microsoft.Insights/scheduledQueryRules")
                .Where(rule => rule.Properties["actions"]!["customProperties"]?["runbook"] is not null)
                .Select(rule => Read(rule.Properties["actions"]!["customProperties"]!, rule.Properties["criteria"]!["allOf"]![0]!)),
            .. plan.All("Microsoft.AlertsManagement/prometheusRuleGroups").SelectMany(group => group.Properties["rules"]!.AsArray()).Select(rule =>
                new Example((string)rule!["actions"]![0]!["actionProperties"]!["runbook"]!,
                    [.. By().Match((string)rule["expression"]!).Groups[1].Value.Split(',', StringSplitOptions.TrimEntries)])),
        ];
    }

    private static Example Read(JsonNode properties, JsonNode criterion) => new(
        (string)properties["runbook"]!,
        [
            .. properties.AsObject().Select(property => property.Key),
            .. criterion["dimensions"]!.AsArray().Select(dimension => (string)dimension!["name"]!),
        ]);

    private sealed record Example(string Runbook, IReadOnlyList<string> Labels);

    [GeneratedRegex(@"\{\{ *labels\.([A-Za-z0-9_]+)", RegexOptions.NonBacktracking)]
    private static partial Regex Label();

    [GeneratedRegex("XID_ERRORS == [0-9]+", RegexOptions.NonBacktracking)]
    private static partial Regex Xid();

    [GeneratedRegex(@" by \(([^)]*)\)", RegexOptions.NonBacktracking)]
    private static partial Regex By();
}
