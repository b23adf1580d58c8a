using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake.Parsing;

namespace Runbooks.Tests.Intake;

/// <summary>A value that was measured stands among the labels: each message has another one, and is about the same thing all the same.</summary>
public sealed class MeasuredLabelTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(
        IntakeWorld.Runbook("disk", "{{ labels.host }}", "generic", "DiskFull", checks: false),
        IntakeWorld.Runbook("cpu", "{{ labels.resourceName }}", "azure-monitor", "cpu-high", checks: false),
        IntakeWorld.Runbook("down", "{{ labels.instance }}", "alertmanager", "InstanceDown", checks: false));

    [Theory]
    [InlineData("value")]
    [InlineData("current_value")]
    public async Task ScriptThatPostsItEachMinute_IsHeldToTheNo(string name)
    {
        await _world.TakeAsync(Disk(name, "91"));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        (await _world.TakeAsync(Disk(name, "92")))[0].Outcome.ShouldBe(IntakeResult.Folded);
    }

    [Fact]
    public async Task EndWithAnotherValueThanAnyThatFired_EndsIt()
    {
        await _world.TakeAsync(Disk("value", "91"));
        await _world.TakeAsync(Disk("value", "92"));

        (await _world.TakeAsync(Disk("value", "40", "resolved")))[0].Outcome.ShouldBe(IntakeResult.Resolved);

        _world.Only.Alerts.ShouldHaveSingleItem().Count.ShouldBe(3);
        _world.Only.State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task WhatTellsHowBadItIs_StillTellsAlertsApart()
    {
        await _world.TakeAsync(Disk("severity", "warning"));

        await _world.TakeAsync(Disk("severity", "critical"));

        _world.Only.Alerts.Count.ShouldBe(2);
    }

    /// <summary>The two examples of the portal for custom properties that are filled from the payload, and others of that kind.</summary>
    [Theory]
    [InlineData("Evaluation windowStartTime: {start}. windowEndTime: {end}")]
    [InlineData("Metric value is {value}. That is {value}%")]
    [InlineData("{fired}")]
    [InlineData("see {id}")]
    public async Task CustomPropertyThatHoldsWhatWasMeasured_IsHeldToTheNo(string details)
    {
        await _world.TakeAsync(Cpu(1, details));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        var again = (await _world.TakeAsync(Cpu(2, details)))[0];

        (again.Outcome, again.Id).ShouldBe((IntakeResult.Folded, _world.Only.Id));
    }

    [Fact]
    public async Task CustomPropertyThatTellsWhichThing_StillTellsAlertsApart()
    {
        await _world.TakeAsync(Cpu(1, "core 7"));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        (await _world.TakeAsync(Cpu(2, "core 8")))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    /// <summary>A rule that counts measures small whole numbers, and such a number may be the name of a thing.</summary>
    [Theory]
    [InlineData("core 7", "7", "core 8", IntakeResult.Opened)]
    [InlineData("ring 7", "7", "ring 7", IntakeResult.Folded)]
    [InlineData("count: 7", "7", "count: 8", IntakeResult.Folded)]
    public async Task SmallNumberThatIsMeasuredToo_IsOnlyMeasuredWhereThePropertySaysSo(string first, string value, string second, IntakeResult outcome)
    {
        await _world.TakeAsync(Cpu(1, first, value));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        (await _world.TakeAsync(Cpu(2, second, "8")))[0].Outcome.ShouldBe(outcome);
    }

    [Fact]
    public void AlertThatLacksTheLabelOfItsTarget_IsOnOneTargetWhateverItMeasured()
    {
        var runbook = IntakeWorld.Runbook("pods", "{{ labels.pod }}", "azure-monitor", "cpu-high");

        IncidentTarget.Of(runbook, Cpu(2, "at {value}, in {start}")).ShouldBe(IncidentTarget.Of(runbook, Cpu(1, "at {value}, in {start}")));
    }

    /// <summary>github.com/prometheus/alertmanager/issues/3112: each post has the old alert resolved and a new one firing.</summary>
    [Fact]
    public async Task ValueInALabelOfPrometheus_ComesAndGoesAndIsHeldToTheNo()
    {
        for (var n = 1; n <= 3; n++)
        {
            _world.World.Time.Advance(TimeSpan.FromMinutes(1));
            await _world.TakeAsync([.. Instances(n)]);
        }

        var held = _world.World.Store.All[^1];
        await _world.World.DecideAsync(held.Id, DecisionVerb.Reject);
        _world.World.Time.Advance(TimeSpan.FromMinutes(1));

        (await _world.TakeAsync([.. Instances(4)])).Select(outcome => (outcome.Outcome, outcome.Id)).ShouldBe([(IntakeResult.Resolved, held.Id), (IntakeResult.Folded, held.Id)]);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static Alert Disk(string label, string value, string status = "firing") =>
        Readers.ReadOne("generic", $$$"""{"name":"DiskFull","status":"{{{status}}}","labels":{"host":"batch-7","{{{label}}}":"{{{value}}}"}}""");

    /// <summary>A stateless rule: each firing is an alert of its own.</summary>
    private static Alert Cpu(int firing, string details, string? measured = null)
    {
        var (id, fired, start, end, value) = ($"aaaa-{firing}", $"2026-11-22T22:0{firing}:00.0000000Z", $"2026-11-22T21:5{firing}:00Z", $"2026-11-22T22:0{firing}:00Z", measured ?? $"9{firing}.5");
        var told = details.Replace("{value}", value, StringComparison.Ordinal).Replace("{start}", start, StringComparison.Ordinal).Replace("{end}", end, StringComparison.Ordinal)
            .Replace("{fired}", fired, StringComparison.Ordinal).Replace("{id}", $"/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/{id}", StringComparison.Ordinal);
        return Readers.ReadOne("azure-monitor", $$$"""
            {"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/{{{id}}}","alertRule":"cpu-high","severity":"Sev2",
            "signalType":"Metric","monitorCondition":"Fired","monitoringService":"Platform","alertTargetIDs":["/subscriptions/s/resourcegroups/rg-shop/providers/microsoft.compute/virtualmachines/vm-shop-web-01"],
            "firedDateTime":"{{{fired}}}"},"alertContext":{"properties":{"Additional Details":"{{{told}}}"},"conditionType":"SingleResourceMultipleMetricCriteria",
            "condition":{"windowSize":"PT5M","allOf":[{"metricName":"Percentage CPU","operator":"GreaterThan","threshold":"80","timeAggregation":"Average","dimensions":[],"metricValue":{{{value}}} }],
            "windowStartTime":"{{{start}}}","windowEndTime":"{{{end}}}"} },"customProperties":{"Additional Details":"{{{told}}}"} } }
            """);
    }

    private static IReadOnlyList<Alert> Instances(int n)
    {
        var old = n == 1 ? "" : One("resolved", n - 1) + ",";
        return Readers.Read("alertmanager", $$$"""{"version":"4","status":"firing","alerts":[{{{old}}}{{{One("firing", n)}}}]}""").Alerts;

        static string One(string status, int n) => $$$"""
            {"status":"{{{status}}}","labels":{"alertname":"InstanceDown","instance":"db-01","value":"{{{n}}}"},"annotations":{},"startsAt":"2026-11-23T01:0{{{n}}}:00Z",
            "endsAt":"{{{(status == "firing" ? "0001-01-01T00:00:00Z" : $"2026-11-23T01:0{n + 1}:00Z")}}}","fingerprint":"f{{{n}}}"}
            """;
    }
}
