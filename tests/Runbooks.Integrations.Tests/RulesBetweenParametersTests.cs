using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Tests;

/// <summary>What is wrong in a step whatever the alert says is found in the file, though nearly every step has a placeholder.</summary>
public sealed class RulesBetweenParametersTests
{
    private const string Id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.X/x/x";

    [Theory]
    [InlineData("kubernetes.scaleDeployment", """{ "namespace": "{{ labels.namespace }}", "deployment": "d", "max": 6 }""", "replicas: Say either 'replicas' or 'add'.")]
    [InlineData("kubernetes.scaleDeployment", """{ "namespace": "{{ labels.namespace }}", "deployment": "d", "replicas": 10, "max": 6 }""", "replicas: 10 pods are more than 'max', 6.")]
    [InlineData("azureMonitor.metric", """{ "resource": "{{ labels.id }}", "metric": "m", "granularity": "15m", "failing": "< 90" }""", "over: is too short for 'granularity': the newest value may still be coming, so look back at least twice as far.")]
    [InlineData("azureMonitor.metric", """{ "resource": "{{ labels.id }}", "metric": "m", "granularity": "10m", "failing": "{{ labels.f }}" }""", "granularity: has to be 1m, 5m, 15m or 30m.")]
    [InlineData("apim.backendPool", """{ "service": "{{ labels.id }}", "pool": "p", "backend": "b" }""", "priority: Say 'priority', 'weight' or both.")]
    [InlineData("envoyAiGateway.route", """{ "namespace": "{{ labels.namespace }}", "route": "r", "backend": "b" }""", "weight: Say 'weight', 'priority' or both.")]
    [InlineData("azureOpenAI.spillOver", """{ "account": "{{ labels.id }}", "deployment": "d" }""", "off: Say either 'to' or 'off: true'.")]
    [InlineData("azureOpenAI.spillOver", """{ "account": "{{ labels.id }}", "deployment": "d", "to": "{{ labels.to }}", "off": true }""", "off: Say either 'to' or 'off: true'.")]
    [InlineData("vllm.health", """{ "namespace": "{{ labels.namespace }}", "pod": "{{ labels.pod }}", "deployment": "{{ labels.deployment }}" }""", "deployment: Say 'pod' or 'deployment', not both.")]
    [InlineData("http.request", """{ "url": "https://one.example/{{ labels.pod }}", "undo": { "url": "https://two.example/{{ labels.pod }}" } }""", "undo.url: has to be on the same host as 'url', not on https://two.example.")]
    [InlineData("http.probe", """{ "url": "https://one.example/{{ labels.pod }}", "method": "head", "expectBody": "{{ labels.text }}" }""", "expectBody: goes with 'method: get': an answer to head has no body.")]
    [InlineData("waf.blockSignature", """{ "policy": "{{ labels.id }}", "signature": "s", "recent": "T | take 1" }""", "recent: goes with 'workspace': give both, or neither.")]
    [InlineData("waf.blockSignature", $$$"""{ "policy": "{{{Id}}}", "signature": "{{ labels.signature }}" }""", "policy: is neither a Microsoft.Network/FrontDoorWebApplicationFirewallPolicies nor a Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies.")]
    [InlineData("person", """{ "instruction": "Look at {{ labels.pod }}.", "who": [] }""", "who: names nobody. Name the contacts that are asked.")]
    [InlineData("ticket.create", """{ "title": "{{ alert.name }}", "text": "t", "fields": { "a b": "{{ labels.a }}" } }""", "fields: has the field 'a b': names are letters, digits, dots and underscores.")]
    public void BesideAPlaceholder_TheyAreLookedAt(string step, string with, string error) => Check(step, with).ShouldBe([error]);

    [Theory]
    [InlineData("kubernetes.scaleDeployment", """{ "namespace": "n", "deployment": "d", "replicas": 10, "max": "{{ labels.max }}" }""")]
    [InlineData("kubernetes.scaleDeployment", """{ "namespace": "n", "deployment": "d", "add": "{{ labels.add }}", "max": 6 }""")]
    [InlineData("azureMonitor.metric", """{ "resource": "r{{ labels.id }}", "metric": "m", "granularity": "{{ labels.every }}", "failing": "< 90" }""")]
    [InlineData("azureMonitor.metric", """{ "resource": "r{{ labels.id }}", "metric": "m", "granularity": "15m", "over": "{{ labels.over }}", "failing": "< 90" }""")]
    [InlineData("azureOpenAI.spillOver", """{ "account": "{{ labels.id }}", "deployment": "d", "off": "{{ labels.off }}" }""")]
    [InlineData("http.request", """{ "url": "https://{{ labels.host }}/a", "undo": { "url": "https://two.example/b" } }""")]
    [InlineData("http.request", """{ "url": "https://one.example/a", "undo": { "url": "{{ labels.undo }}", "body": { "a": "{{ labels.a }}" } } }""")]
    [InlineData("waf.blockSignature", """{ "policy": "{{ labels.id }}", "signature": "{{ labels.signature }}" }""")]
    [InlineData("person", """{ "instruction": "Look.", "who": "{{ labels.team }}", "checklist": ["{{ labels.a }}", "b"] }""")]
    public void WhatHangsOnAPlaceholder_IsLeftToTheAlert(string step, string with) => Check(step, with).ShouldBeEmpty();

    /// <summary>However the file writes it, the rules of the file see what will run; where an alert says it, nothing is promised.</summary>
    [Theory]
    [InlineData("{}", Reversal.Undone)]
    [InlineData("""{ "keep": null }""", Reversal.Undone)]
    [InlineData("""{ "keep": false }""", Reversal.Undone)]
    [InlineData("""{ "keep": "False" }""", Reversal.Undone)]
    [InlineData("""{ "keep": true }""", Reversal.Kept)]
    [InlineData("""{ "keep": "true" }""", Reversal.Kept)]
    [InlineData("""{ "keep": "True" }""", Reversal.Kept)]
    [InlineData("""{ "keep": "{{ labels.keep }}" }""", Reversal.Kept)]
    public void KeptStep_IsKnownHoweverItIsWritten(string with, Reversal reversal)
    {
        foreach (var action in new[] { "kubernetes.cordonNode", "kubernetes.taintNode", "apim.suspendSubscription" })
        {
            IntegrationsPageTests.Catalog().FindAction(action)!.ReversalOf(JsonSerializer.Deserialize<JsonElement>(with)).ShouldBe(reversal, action);
        }
    }

    /// <summary>What a taint stops comes back with no undoing, so silence does not stop it; an alert may mean that effect.</summary>
    [Theory]
    [InlineData("{}", false)]
    [InlineData("""{ "effect": "noSchedule" }""", false)]
    [InlineData("""{ "effect": "PreferNoSchedule" }""", false)]
    [InlineData("""{ "effect": "noExecute" }""", true)]
    [InlineData("""{ "effect": "NoExecute" }""", true)]
    [InlineData("""{ "effect": "{{ labels.effect }}" }""", true)]
    public void TaintThatStopsPods_AlwaysAsks(string with, bool asks) =>
        IntegrationsPageTests.Catalog().FindAction("kubernetes.taintNode")!.AlwaysAsks(JsonSerializer.Deserialize<JsonElement>(with)).ShouldBe(asks);

    /// <summary>Of a query whose lines are joined, a comment takes the rest; <c>runbook validate</c> warns where the language has one.</summary>
    [Fact]
    public void QueryInALanguageWithComments_SaysHowOneBegins()
    {
        var catalog = IntegrationsPageTests.Catalog();
        var steps = catalog.Checks.Select(check => (check.Name, check.ParametersType)).Concat(catalog.Actions.Select(action => (action.Name, action.ParametersType)));

        steps.SelectMany(step => step.ParametersType.GetProperties(), (step, property) => (step.Name, Parameter: property.Name, Query: property.GetCustomAttribute<QueryTextAttribute>()))
            .Where(one => one.Query is not null).Select(one => $"{one.Name} {one.Parameter} {one.Query!.Comment}".TrimEnd()).Order(StringComparer.Ordinal)
            .ShouldBe(["azureMonitor.logs Query //", "azureMonitor.metric Filter", "contentSafety.blocklist Recent //", "prometheus.query Query #", "waf.blockSignature Recent //"]);
    }

    private static IEnumerable<string> Check(string step, string with)
    {
        var catalog = IntegrationsPageTests.Catalog();
        var type = catalog.FindAction(step)?.ParametersType ?? catalog.FindCheck(step)!.ParametersType;
        return ParameterBinder.Check(JsonNode.Parse(with)!.AsObject(), type).Select(error => error.ToString());
    }
}
