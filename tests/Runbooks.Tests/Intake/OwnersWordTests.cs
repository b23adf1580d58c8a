using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake.Parsing;

namespace Runbooks.Tests.Intake;

/// <summary>A rule's owner may call a custom property like a field of the event: what the event says of itself counts.</summary>
public sealed class OwnersWordTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(
        IntakeWorld.Runbook("outage", "{{ labels.trackingId }}", "azure-monitor", "ServiceHealth-Any", checks: false),
        IntakeWorld.Runbook("vm", "{{ labels.resourceName }}", "azure-monitor", "vm-unhealthy", checks: false),
        IntakeWorld.Runbook("cpu", "{{ labels.resourceName }}", "azure-monitor", "cpu-high", checks: false));

    [Fact]
    public async Task StageOfTheOwner_HidesNeitherTheEndOfTheOutageNorItsReview()
    {
        await _world.TakeAsync(Outage("active"));

        await _world.TakeAsync(Outage("resolved"));

        _world.Only.News.ShouldHaveSingleItem().Urgent.ShouldBeTrue();
        _world.Only.News[0].Text.ShouldBe("Azure says of outage 1VSG-N50, stage Resolved: Sign-in failures - Mitigated");
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);
        (await _world.TakeAsync(Outage("resolved") with { Fingerprint = "rca" }))[0].Outcome.ShouldBe(IntakeResult.Folded);
        (_world.Only.Alert.Labels["stage"], _world.Only.Alert.Labels["custom.stage"]).ShouldBe(("Active", "prod"));
    }

    [Fact]
    public async Task HealthStatusOfTheOwner_IsNotThatOfAnUpdateWithoutOne()
    {
        await _world.TakeAsync(Health("Active", "\"Unavailable\""));

        (await _world.TakeAsync(Health("Updated", "null")))[0].Outcome.ShouldBe(IntakeResult.Folded);

        _world.Only.News.Count.ShouldBe(1);
    }

    [Fact]
    public async Task MetricRule_KeepsTheOwnersWordsAndItsOperationIsNoEvent()
    {
        await _world.TakeAsync(Cpu("1"));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        (await _world.TakeAsync(Cpu("2")))[0].Outcome.ShouldBe(IntakeResult.Folded);

        (_world.Only.Alert.Labels["stage"], _world.Only.Alert.Labels["operationName"], _world.Only.Alert.Labels["monitoringService"]).ShouldBe(("prod", "backup", "Platform"));
    }

    [Fact]
    public async Task TwoEventsOfTheActivityLog_AreStillTwo()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("deletes", "{{ labels.resourceName }}", "azure-monitor", "*", checks: false));
        await world.TakeAsync(Deletion("1"));
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);

        (await world.TakeAsync(Deletion("2")))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static Alert Outage(string stage) => Readers.ReadOne("azure-monitor",
        IntakeWorld.TextOf($"03-service-health-any-{stage}.json")
            .Replace(" \"data\": {", " \"data\": {\"customProperties\":{\"stage\":\"prod\",\"status\":\"live\",\"trackingId\":\"none\",\"monitoringService\":\"ours\",\"runbook\":\"outage\"},", StringComparison.Ordinal));

    private static Alert Health(string status, string health) => Readers.ReadOne("azure-monitor", $$$"""
        {"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"{{{status}}}","alertRule":"vm-unhealthy","monitorCondition":"Fired","monitoringService":"Resource Health",
        "alertTargetIDs":["/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-1"],"firedDateTime":"2026-11-23T01:00:00Z"},
        "alertContext":{"operationName":"Microsoft.Resourcehealth/healthevent/Updated/action","eventSource":"ResourceHealth","status":"{{{status}}}",
        "properties":{"title":"vm-1","currentHealthStatus":{{{health}}} } },"customProperties":{"currentHealthStatus":"watch it","status":"live"} } }
        """);

    private static Alert Cpu(string id) => Readers.ReadOne("azure-monitor", $$$"""
        {"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"{{{id}}}","alertRule":"cpu-high","severity":"Sev2","monitorCondition":"Fired","monitoringService":"Platform",
        "alertTargetIDs":["/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-1"],"firedDateTime":"2026-11-23T01:00:00Z"},
        "alertContext":{"conditionType":"SingleResourceMultipleMetricCriteria","condition":{"windowSize":"PT5M","allOf":[{"metricName":"Percentage CPU","metricValue":91.5}] } },
        "customProperties":{"stage":"prod","operationName":"backup","monitoringService":"ServiceHealth"} } }
        """);

    private static Alert Deletion(string id) => Readers.ReadOne("azure-monitor", $$$"""
        {"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"{{{id}}}","alertRule":"vm-deleted","severity":"Sev4","signalType":"Activity Log","monitorCondition":"Fired","monitoringService":"Activity Log - Administrative",
        "alertTargetIDs":["/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-1"],"firedDateTime":"2026-11-23T01:00:00Z"},
        "alertContext":{"operationName":"Microsoft.Compute/virtualMachines/delete","eventSource":"Administrative","status":"Succeeded","properties":{} } } }
        """);
}
