using System.Text.Json.Nodes;
using Runbooks.Model.Alerts;

namespace Runbooks.Tests.Intake.Parsing;

public class AzureMonitorTests
{
    [Theory]
    [InlineData("\"Resolved\"", AlertStatus.Resolved)]
    [InlineData("\"resolved\"", AlertStatus.Resolved)]
    [InlineData("\"Fired\"", AlertStatus.Firing)]
    [InlineData("null", AlertStatus.Firing)]
    [InlineData("\"something new\"", AlertStatus.Firing)]
    public void MonitorCondition_AloneDecidesTheStatus(string condition, AlertStatus expected) =>
        Read($$"""{"alertRule":"r","monitorCondition":{{condition}}}""", """{"status":"Resolved","operationName":"x"}""").Status.ShouldBe(expected);

    [Fact]
    public void FiredAndResolved_ShareTheirFingerprint()
    {
        var fired = Read("""{"alertRule":"r","alertId":"/subscriptions/s/alerts/1","monitorCondition":"Fired"}""");
        var resolved = Read("""{"alertRule":"r","alertId":"/subscriptions/s/alerts/1","monitorCondition":"Resolved","resolvedDateTime":"2026-03-02T03:19:45Z"}""");

        resolved.Fingerprint.ShouldBe(fired.Fingerprint);
    }

    [Fact]
    public void CustomPropertyAndDimensionOfOneName_TheRuleOwnersWordCounts() =>
        Read("""{"alertRule":"r"}""", """{"condition":{"allOf":[{"dimensions":[{"name":"cluster","value":"from-telemetry"}]}]}}""", """{"cluster":"b"}""")
            .Labels["cluster"].ShouldBe("b");

    [Fact]
    public void CustomPropertyAndPrometheusLabelOfOneName_LabelsStayAsTheyAre() =>
        Read("""{"alertRule":"r"}""", """{"labels":{"alertname":"r","cluster":"b"}}""", """{"cluster":"c","team":"ml"}""")
            .Labels.ShouldBeSubsetOf(new Dictionary<string, string> { ["cluster"] = "b", ["team"] = "ml", ["alertname"] = "r" });

    [Theory]
    [InlineData("""{"runbook":"hanged-gpu"}""", "hanged-gpu")]
    [InlineData("""{"runbook":"https://wiki.contoso.com/gpu"}""", null)]
    [InlineData("""{"runbook":["hanged-gpu"]}""", null)]
    [InlineData("""{"runbook":7}""", null)]
    [InlineData("""{"runbook":" "}""", null)]
    [InlineData("null", null)]
    [InlineData("[]", null)]
    public void RunbookInCustomProperties_NamesItOnlyAsText(string customProperties, string? expected) =>
        Read("""{"alertRule":"r"}""", "{}", customProperties).Runbook.ShouldBe(expected);

    [Theory]
    [InlineData("inference-rules/InferenceRequestsStuck", "InferenceRequestsStuck")]
    [InlineData("Inference-Rules/a/b", "a/b")]
    [InlineData("other/InferenceRequestsStuck", "other/InferenceRequestsStuck")]
    public void PrometheusRuleWithoutAlertname_IsNamedWithoutItsGroup(string rule, string expected) =>
        Read($$"""{"alertRule":"{{rule}}"}""", """{"ruleGroup":"/subscriptions/s/resourceGroups/rg/providers/Microsoft.AlertsManagement/prometheusRuleGroups/inference-rules","labels":{"cluster":"b"},"expression":"up == 0"}""")
            .Name.ShouldBe(expected);

    /// <summary>Azure writes null for what is empty.</summary>
    [Fact]
    public void PrometheusRuleWhoseLabelsAreNull_IsReadAsOne()
    {
        var alert = Read(
            """{"alertRule":"inference-rules/Stuck"}""",
            """{"ruleGroup":"/subscriptions/s/resourceGroups/rg/providers/Microsoft.AlertsManagement/prometheusRuleGroups/inference-rules","labels":null,"annotations":{"summary":"It is stuck"},"expression":"sum(up) > 5"}""");

        (alert.Name, alert.Summary, alert.Annotations["expression"]).ShouldBe(("Stuck", "It is stuck", "sum(up) > 5"));
    }

    [Fact]
    public void RunbookInAnActivityLogEvent_NamesNothing()
    {
        // What happened is written by whoever made it happen.
        var alert = Read("""{"alertRule":"r"}""", """{"operationName":"x","eventSource":"Administrative","properties":{"runbook":"toxic-loop","cluster":"b"}}""");

        alert.Runbook.ShouldBeNull();
        alert.Labels.ShouldNotContainKey("cluster");
    }

    [Fact]
    public void ClaimsOfTheCaller_AreNotRead() =>
        AlertCases.Show(Readers.Read("azure-monitor", Post("""{"alertRule":"r"}""", """{"operationName":"x","claims":"{\"aio\":\"token-like\"}","authorization":{"scope":"token-like"}}""")))
            .ShouldSatisfyAllConditions(shown => shown.ShouldContain("\"name\": \"r\""), shown => shown.ShouldNotContain("token-like"));

    [Theory]
    [InlineData("\"inference-rules/Stuck\"", "Stuck")]
    [InlineData("\"Stuck\"", "Stuck")]
    [InlineData("\"another name\"", "another name")]
    [InlineData("null", "Stuck")]
    public void PrometheusRule_IsKnownByItsAlertname(string alertRule, string expected) =>
        Read($$"""{"alertRule":{{alertRule}}}""", """{"labels":{"alertname":"Stuck"}}""").Name.ShouldBe(expected);

    [Theory]
    [InlineData("\"[{\\\"ServiceName\\\":\\\"AKS\\\",\\\"ImpactedRegions\\\":[{\\\"RegionName\\\":\\\"West Europe\\\"}]}]\"", "AKS (West Europe)")]
    [InlineData("""[{"ServiceName":"AKS","ImpactedRegions":[{"RegionName":"West Europe"},{}]},null,{"ServiceName":"ACR"}]""", "AKS (West Europe); ACR")]
    [InlineData("\"AKS in the west\"", "AKS in the west")]
    [InlineData("\"[broken\"", "[broken")]
    public void ImpactedServices_AreReadInEveryForm(string services, string expected) =>
        Read("""{"alertRule":"r"}""", $$"""{"operationName":"x","properties":{"impactedServices":{{services}} } }""")
            .Annotations["impactedServices"].ShouldBe(expected);

    [Theory]
    [InlineData("\"25\"", "25")]
    [InlineData("25", "25")]
    [InlineData("10000.0", "10000.0")]
    public void Threshold_IsTextOrNumber(string threshold, string expected) =>
        Read("""{"alertRule":"r"}""", $$"""{"condition":{"allOf":[{"threshold":{{threshold}} }]} }""").Annotations["threshold"].ShouldBe(expected);

    [Theory]
    [InlineData("\"Sev1\"", "Sev1")]
    [InlineData("1", "Sev1")]
    [InlineData("\"4\"", "Sev4")]
    [InlineData("null", null)]
    public void Severity_IsWrittenOneWay(string severity, string? expected) =>
        Read($$"""{"alertRule":"r","severity":{{severity}}}""").Severity.ShouldBe(expected);

    [Fact]
    public void SeveralTargets_GiveOnlyTheLabelsTheyAgreeOn()
    {
        var alert = Read("""
            {"alertRule":"r","alertTargetIDs":[
              "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/vm-1",
              "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-2/extensions/e"]}
            """);

        alert.Labels.ShouldContainKeyAndValue("subscription", "s");
        alert.Labels.ShouldContainKeyAndValue("resourceGroup", "RG");
        alert.Labels.ShouldNotContainKey("resourceName");
        alert.Labels.ShouldNotContainKey("resourceType");
        alert.Labels.ShouldNotContainKey("resourceId");
        alert.Labels.ShouldNotContainKey("resourcePath");
        alert.Resources.Count.ShouldBe(2);
    }

    /// <summary>Deployments of two endpoints may have one name.</summary>
    [Fact]
    public void ChildResource_IsToldByAllItsLevels()
    {
        var chat = Read("""{"alertRule":"r","alertTargetIDs":["/subscriptions/S/resourceGroups/RG/providers/Microsoft.MachineLearningServices/workspaces/ws/onlineEndpoints/Chat/deployments/blue"]}""").Labels;

        chat["resourceName"].ShouldBe("blue");
        chat["resourcePath"].ShouldBe("ws/Chat/blue");
        chat["resourceId"].ShouldBe("/subscriptions/s/resourcegroups/rg/providers/microsoft.machinelearningservices/workspaces/ws/onlineendpoints/chat/deployments/blue");
        Read("""{"alertRule":"r","alertTargetIDs":["/subscriptions/s/resourceGroups/rg"]}""").Labels.ShouldNotContainKey("resourcePath");
    }

    [Fact]
    public void AnyFieldOfTheEssentialsBut_NeverFailsTheAlert()
    {
        var essentials = JsonNode.Parse(AlertCases.Body("azure-monitor/platform-static-threshold"))!["data"]!["essentials"]!.AsObject();
        foreach (var field in essentials.Select(field => field.Key).Where(field => field != "alertRule").ToList())
        {
            foreach (var odd in (string[])["null", "0", "\"\"", "[]", "[1,null]", "{}", "true"])
            {
                var changed = essentials.DeepClone().AsObject();
                changed[field] = JsonNode.Parse(odd);

                Read(changed.ToJsonString()).Name.ShouldBe("HighLatency_Cluster_B", $"{field} = {odd}");
            }
        }
    }

    private static Alert Read(string essentials, string context = "null", string customProperties = "null") =>
        Readers.ReadOne("azure-monitor", Post(essentials, context, customProperties));

    private static string Post(string essentials, string context = "null", string customProperties = "null") =>
        $$"""{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{{essentials}},"alertContext":{{context}},"customProperties":{{customProperties}} } }""";
}
