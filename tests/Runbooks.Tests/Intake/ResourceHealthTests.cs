using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake.Parsing;

namespace Runbooks.Tests.Intake;

/// <summary>Azure tells each event about a resource in a message of its own: only the one that ends the event is its end, and only the one that begins it asks.</summary>
public sealed class ResourceHealthTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(
        IntakeWorld.Runbook("vm", "{{ labels.resourceName }}", "azure-monitor", "vm-unhealthy", checks: false),
        IntakeWorld.Runbook("vm-events", "{{ labels.resourceName }}", "event-grid", "*.AvailabilityStatusChanged", checks: false));

    /// <summary>The messages of one platform downtime, as github.com/Azure/azure-monitor-baseline-alerts/issues/898 lists them.</summary>
    [Fact]
    public async Task UpdateThatSaysAvailableWhileItIsDown_IsNewsAndEndsNothing()
    {
        await _world.TakeAsync(Health("Activated", "Active", "Unavailable", "Available", "01:05:35"));

        var updated = (await _world.TakeAsync(Health("Updated", "Updated", "Available", "Available", "01:05:35")))[0];
        var asked = _world.Only.State;
        var over = (await _world.TakeAsync(Health("Resolved", "Resolved", "Available", "Unavailable", "01:07:35")))[0];

        (updated.Outcome, asked, over.Outcome, _world.Only.State).ShouldBe((IntakeResult.Folded, IncidentState.AwaitingApproval, IntakeResult.Resolved, IncidentState.SelfRecovered));
        updated.Reason!.ShouldContain("ends nothing");
        _world.Only.News.ShouldHaveSingleItem().Text.ShouldBe("Azure tells of the resource, which ends nothing: The virtual machine is rebooting");
    }

    [Fact]
    public async Task UpdateInOtherWords_StandsWithItsOwnTimeAndLine()
    {
        var update = Health("Updated", "Updated", "Available", "Available", "01:05:35");
        await _world.TakeAsync(Health("Activated", "Active", "Unavailable", "Available", "01:05:35"));
        await _world.TakeAsync(update);
        _world.World.Time.Advance(TimeSpan.FromMinutes(2));

        await _world.TakeAsync(update, update with { Summary = "It moves to another host" });

        (_world.Only.News.ShouldHaveSingleItem().Text, _world.Only.News[0].At).ShouldBe(("Azure tells of the resource, which ends nothing: It moves to another host", _world.World.Time.GetUtcNow()));
        _world.Only.Timeline.Count(line => line.What.StartsWith("Azure tells of the resource", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task UpdateThatSaysAvailableAndKnowsNoIncident_OpensNone() =>
        (await _world.TakeAsync(Health("Updated", "Updated", "Available", "Available", "01:05:35")))[0].Outcome.ShouldBe(IntakeResult.Ignored);

    [Theory]
    [InlineData("Updated", "Updated", "Available", "Unavailable", AlertStatus.Resolved)]
    [InlineData("InProgress", "In Progress", "Available", "Available", AlertStatus.Firing)]
    [InlineData("Updated", "Updated", "Unavailable", "Unavailable", AlertStatus.Firing)]
    [InlineData("InProgress", "InProgress", "Degraded", "Available", AlertStatus.Firing)]
    public void UpdateOfAnEvent_IsTheEndOnlyWhereTheHealthChangedForIt(string operation, string status, string health, string before, AlertStatus expected) =>
        Health(operation, status, health, before, "01:05:35").Status.ShouldBe(expected);

    [Theory]
    [InlineData("InProgress", "InProgress", "Unavailable", "Available")]
    [InlineData("Updated", "Updated", "Unavailable", "Unavailable")]
    public async Task LaterEventAboutTheSameTrouble_DoesNotAskAgainAfterANo(string operation, string status, string health, string before)
    {
        await _world.TakeAsync(Health("Activated", "Active", "Unavailable", "Available", "03:00:00"));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        (await _world.TakeAsync(Health(operation, status, health, before, "03:08:00")))[0].Outcome.ShouldBe(IntakeResult.Folded);

        _world.Only.Recurrences.ShouldHaveSingleItem().Times.ShouldBe(1);
    }

    [Fact]
    public async Task UpdateThatTellsOfTroubleFirst_Asks() =>
        (await _world.TakeAsync(Health("Updated", "Updated", "Unavailable", "Available", "03:00:00")))[0].Outcome.ShouldBe(IntakeResult.Opened);

    [Theory]
    [InlineData("Degraded")]
    [InlineData("Unknown")]
    public async Task ItGetsWorse_AsksInSpiteOfTheNo(string before)
    {
        await _world.TakeAsync(Health("Activated", "Active", before, "Available", "03:00:00"));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        (await _world.TakeAsync(Health("Updated", "Updated", "Unavailable", before, "03:08:00")))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    /// <summary>What its messages say of the resource by now is no part of a target that names the alert.</summary>
    [Theory]
    [InlineData("event-grid")]
    [InlineData("azure-monitor")]
    public async Task LabelOfItsTargetIsMissing_IsOneIncidentThatItsEndReaches(string source)
    {
        await using var world = new IntakeWorld([.. _world.Runbooks.Select(runbook => runbook with { Target = "{{ labels.host }}" })]);

        var outcomes = new List<IntakeOutcome>();
        foreach (var (operation, state, before, time) in (IEnumerable<(string, string, string, string)>)[
            ("Activated", "Unavailable", "Available", "22:00:00"), ("Updated", "Unknown", "Unavailable", "22:08:00"), ("Resolved", "Available", "Unknown", "22:20:00")])
        {
            outcomes.AddRange(await world.TakeAsync(source == "event-grid" ? Changed(state, before, time) : Health(operation, operation, state, before, time)));
        }

        outcomes.Select(outcome => outcome.Outcome).ShouldBe([IntakeResult.Opened, IntakeResult.Folded, IntakeResult.Resolved]);
        world.Only.State.ShouldBe(IncidentState.SelfRecovered);
    }

    /// <summary>Nobody decides on a slow machine that is down by now.</summary>
    [Theory]
    [InlineData("event-grid")]
    [InlineData("azure-monitor")]
    public async Task ItGetsWorseWhileItIsAskedAbout_IsTold(string source)
    {
        await _world.TakeAsync(Tell("Activated", "Degraded", "Available", "22:00:00"));
        await _world.TakeAsync(Tell("Updated", "Degraded", "Degraded", "22:01:00"));
        _world.Only.News.ShouldBeEmpty();

        await _world.TakeAsync(Tell("Updated", "Unavailable", "Degraded", "22:08:00"));
        await _world.TakeAsync(Tell("Updated", "Unavailable", "Unavailable", "22:09:00"));

        _world.Only.News.ShouldHaveSingleItem().Text.ShouldStartWith("Azure says that the resource is Unavailable now, before that Degraded: ");
        _world.Only.Timeline.Count(line => line.What == _world.Only.News[0].Text).ShouldBe(1);
        _world.Only.Timeline.ShouldNotContain(line => line.What.EndsWith("fires again.", StringComparison.Ordinal));

        await _world.TakeAsync(Tell("Updated", "Degraded", "Unavailable", "22:12:00"));
        _world.Only.News.ShouldHaveSingleItem().Text.ShouldStartWith("Azure says that the resource is Degraded now, before that Unavailable: ");

        Alert Tell(string operation, string state, string before, string time) => source == "event-grid" ? Changed(state, before, time) : Health(operation, operation, state, before, time);
    }

    [Theory]
    [InlineData("event-grid")]
    [InlineData("azure-monitor")]
    public async Task ItBreaksInAnotherWayAfterItWasAvailable_FiresAgainAndSaysNothingUntrueOfBefore(string source)
    {
        _world.Runbooks[0] = _world.Runbooks[0] with { Target = "all" };
        _world.Runbooks[1] = _world.Runbooks[1] with { Target = "all" };
        await _world.TakeAsync(Tell("Activated", "Unavailable", "Available", "21:00:00") with { Fingerprint = "another" });
        await _world.TakeAsync(Tell("Activated", "Unavailable", "Available", "22:00:00"));
        await _world.TakeAsync(Tell("Resolved", "Available", "Unavailable", "22:05:00"));

        await _world.TakeAsync(Tell("Activated", "Degraded", "Available", "22:10:00"));

        _world.Only.Timeline.ShouldContain(line => line.What.EndsWith("fires again.", StringComparison.Ordinal));
        _world.Only.News.Where(news => news.Text.StartsWith("Azure says", StringComparison.Ordinal)).ShouldHaveSingleItem().Text.ShouldStartWith("Azure says that the resource is Degraded now: ");

        Alert Tell(string operation, string state, string before, string time) => source == "event-grid" ? Changed(state, before, time) : Health(operation, operation, state, before, time);
    }

    [Fact]
    public async Task EventThatWasAvailableBeforeToo_IsNewsAndEndsNothing()
    {
        (await _world.TakeAsync(Changed("Available", "Available", "22:00:00")))[0].Outcome.ShouldBe(IntakeResult.Ignored);
        await _world.TakeAsync(Changed("Unavailable", "Available", "22:01:00"));

        (await _world.TakeAsync(Changed("Available", "Available", "22:01:01")))[0].Outcome.ShouldBe(IntakeResult.Folded);

        _world.Only.State.ShouldBe(IncidentState.AwaitingApproval);
        (await _world.TakeAsync(Changed("Available", "Unavailable", "22:03:00")))[0].Outcome.ShouldBe(IntakeResult.Resolved);
    }

    [Fact]
    public async Task EventAboutTheSameTrouble_DoesNotAskAgainAfterANo()
    {
        await _world.TakeAsync(Changed("Unavailable", "Available", "22:00:00"));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        (await _world.TakeAsync(Changed("Unknown", "Unavailable", "22:08:00")))[0].Outcome.ShouldBe(IntakeResult.Folded);
        (await _world.TakeAsync(Changed("Available", "Unknown", "22:20:00")))[0].Outcome.ShouldBe(IntakeResult.Resolved);
        (await _world.TakeAsync(Changed("Unavailable", "Available", "22:30:00")))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    /// <summary>A machine that restarts twice, from a sender that keeps no order.</summary>
    [Theory]
    [InlineData("event-grid")]
    [InlineData("azure-monitor")]
    public async Task EndOfTheEpisodeBeforeThatComesLate_EndsNothing(string source)
    {
        await _world.TakeAsync(Tell("Unavailable", "Available", "22:00:00"));
        await _world.TakeAsync(Tell("Unavailable", "Available", "22:04:00"));

        var late = (await _world.TakeAsync(Tell("Available", "Unavailable", "22:02:00")))[0];

        (late.Outcome, _world.Only.State, _world.Only.AlertResolvedAt).ShouldBe((IntakeResult.Ignored, IncidentState.AwaitingApproval, null));
        (await _world.TakeAsync(Tell("Available", "Unavailable", "22:06:00")))[0].Outcome.ShouldBe(IntakeResult.Resolved);

        Alert Tell(string state, string before, string time) => source == "event-grid"
            ? Changed(state, before, time)
            : Health(state == "Available" ? "Resolved" : "Activated", state == "Available" ? "Resolved" : "Active", state, before, time);
    }

    /// <summary>An update that was told before the end, and comes after it.</summary>
    [Fact]
    public async Task UpdateOfBeforeTheEndThatComesLate_BeginsNothing()
    {
        await _world.TakeAsync(Health("Activated", "Active", "Unavailable", "Available", "01:00:00"));
        await _world.TakeAsync(Health("Resolved", "Resolved", "Available", "Unavailable", "01:07:00"));

        (await _world.TakeAsync(Health("InProgress", "InProgress", "Unavailable", "Available", "01:05:00")))[0].Outcome.ShouldBe(IntakeResult.Ignored);

        _world.Only.State.ShouldBe(IncidentState.SelfRecovered);
    }

    /// <summary>Event Grid delivers at least once: our answer came too late.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DeliveredOnceMoreAfterTheEnd_ChangesNothing(bool another)
    {
        if (another)
        {
            _world.Runbooks[1] = _world.Runbooks[1] with { Target = "all" };
            await _world.TakeAsync(Changed("Unavailable", "Available", "21:00:00") with { Fingerprint = "another" });
        }

        await _world.TakeAsync(Changed("Unavailable", "Available", "22:00:00"));
        await _world.TakeAsync(Changed("Available", "Unavailable", "22:02:00"));

        (await _world.TakeAsync(Changed("Unavailable", "Available", "22:00:00")))[0].Outcome.ShouldBe(IntakeResult.Ignored);

        _world.Only.Alerts[^1].Resolved.ShouldBeTrue();
        (await _world.TakeAsync(Changed("Unavailable", "Available", "22:03:00")))[0].Outcome.ShouldBe(another ? IntakeResult.Folded : IntakeResult.Opened);
    }

    [Fact]
    public async Task ResourceIsAvailableAgain_IsTheEndOfItsAlertThoughAzureFiresIt()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("vm", "{{ labels.resourceName }}", "azure-monitor", "vm-unhealthy", new() { ["currentHealthStatus"] = "Unavailable" }, checks: false));
        await world.TakeAsync(Bare("1", "Activated", "\"Unavailable\""));

        var over = (await world.TakeAsync(Bare("3", "Resolved", "\"Available\"")))[0];

        over.Outcome.ShouldBe(IntakeResult.Resolved);
        world.Only.State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task HealthUpdateWithoutAStatus_IsNewsAndOpensNothing()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("vm", "{{ labels.resourceName }}", "azure-monitor", "vm-unhealthy"));
        (await world.TakeAsync(Bare("0", "Updated", "null")))[0].Outcome.ShouldBe(IntakeResult.Ignored);
        await world.TakeAsync(Bare("1", "Activated", "\"Unavailable\""));

        var open = (await world.TakeAsync(Bare("2", "Updated", "null")))[0];
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);
        var closed = (await world.TakeAsync(Bare("3", "InProgress", "null")))[0];

        (open.Outcome, closed.Outcome).ShouldBe((IntakeResult.Folded, IntakeResult.Folded));
        world.Only.News.ShouldHaveSingleItem().Text.ShouldBe("Azure tells of the resource, which ends nothing: vm-1");
    }

    [Fact]
    public async Task HealthAlertOfWhichTheContextIsMissing_StillOpensAnIncident()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("vm", "{{ alert.name }}", "azure-monitor", "vm-unhealthy"));

        (await world.TakeAsync(Readers.ReadOne("azure-monitor", """
            {"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"1","alertRule":"vm-unhealthy","monitorCondition":"Fired","monitoringService":"Resource Health",
            "alertTargetIDs":["/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-1"],"firedDateTime":"2026-11-23T01:00:00Z"}}}
            """)))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static Alert Health(string operation, string status, string health, string before, string time) => Readers.ReadOne("azure-monitor", AlertCases.Text("azure-monitor/resource-health")
        .Replace("0c1f7d8e-35a2-4b90-8e11-6d2f94ab7c01", $"{operation}-{time}", StringComparison.Ordinal)
        .Replace("03:04:05.6789012", time, StringComparison.Ordinal)
        .Replace("healthevent/Activated", $"healthevent/{operation}", StringComparison.Ordinal)
        .Replace("\"status\": \"Active\"", $"\"status\": \"{status}\"", StringComparison.Ordinal)
        .Replace("\"currentHealthStatus\": \"Unavailable\"", $"\"currentHealthStatus\": \"{health}\"", StringComparison.Ordinal)
        .Replace("\"previousHealthStatus\": \"Available\"", $"\"previousHealthStatus\": \"{before}\"", StringComparison.Ordinal));

    private static Alert Changed(string state, string before, string time) => Readers.ReadOne("event-grid", AlertCases.Text("event-grid/resource-health-available")
        .Replace("\"time\":\"2026-11-25T22:00:00Z\"", $"\"time\":\"2026-11-22T{time}Z\"", StringComparison.Ordinal)
        .Replace("\"availabilityState\":\"Available\"", $"\"availabilityState\":\"{state}\"", StringComparison.Ordinal)
        .Replace("\"previousAvailabilityState\":\"Unknown\"", $"\"previousAvailabilityState\":\"{before}\"", StringComparison.Ordinal));

    /// <summary>An event that does not tell the health before it.</summary>
    private static Alert Bare(string id, string operation, string status) => Readers.ReadOne("azure-monitor", $$$"""
        {"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"{{{id}}}","alertRule":"vm-unhealthy","monitorCondition":"Fired","monitoringService":"Resource Health",
        "alertTargetIDs":["/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-1"],"firedDateTime":"2026-11-23T0{{{id}}}:00:00Z"},
        "alertContext":{"operationName":"Microsoft.Resourcehealth/healthevent/{{{operation}}}/action","eventSource":"ResourceHealth","status":"{{{operation}}}",
        "properties":{"title":"vm-1","currentHealthStatus":{{{status}}} } } } }
        """);
}
