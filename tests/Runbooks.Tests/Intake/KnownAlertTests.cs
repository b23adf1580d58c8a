using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>Alerts as people's senders really wrote them, told apart and known again.</summary>
public sealed class KnownAlertTests
{
    private static readonly Runbook s_azure = IntakeWorld.Runbook("any-azure", "{{ labels.resourceName }}", "azure-monitor", "*");
    private static readonly Runbook s_cluster = IntakeWorld.Runbook("az-cluster", "{{ labels.cluster }}/{{ labels.pod }}", "azure-monitor", "Slow_Cluster", checks: false);
    private static readonly Runbook s_prod = IntakeWorld.Runbook("outage", "{{ labels.trackingId }}", "azure-monitor", "ServiceHealth-Prod", new() { ["stage"] = "Active" }, checks: false);
    private static readonly Runbook s_any = IntakeWorld.Runbook("outage-any-stage", "{{ labels.trackingId }}", "azure-monitor", "ServiceHealth-Any", checks: false);

    [Fact]
    public async Task OneAzureResourceInTwoCases_IsOneIncident()
    {
        await using var world = new IntakeWorld(s_azure);

        (await world.PostAsync("azure-monitor", "02-casing-metric.json")).Outcome.ShouldBe(IntakeResult.Opened);
        (await world.PostAsync("azure-monitor", "02-casing-log.json")).Outcome.ShouldBe(IntakeResult.Folded);

        world.Only.Target.ShouldBe("vm-shop-web-01");
    }

    [Fact]
    public async Task NamesOfOtherWorldsThatDifferInCase_AreTwoIncidents()
    {
        await using var world = new IntakeWorld(Given.Runbook());

        await world.TakeAsync(Pod("llm-b-0"), Pod("LLM-b-0"));

        world.World.Store.All.Count.ShouldBe(2);
    }

    [Fact]
    public async Task ResolvedWithoutTheDimensions_ReachesTheIncidentOfItsAlertId()
    {
        await using var world = new IntakeWorld(s_cluster);
        await world.PostAsync("azure-monitor", "07-resolved-lacks-dimensions-fired.json");

        var outcome = await world.PostAsync("azure-monitor", "07-resolved-lacks-dimensions-resolved.json");

        (outcome.Outcome, outcome.Target).ShouldBe((IntakeResult.Resolved, "b/llm-b-0"));
        world.Only.State.ShouldBe(IncidentState.SelfRecovered);
    }

    /// <summary>Alertmanager makes the fingerprint of the labels: whoever has a key could claim that of another alert for labels of their choice.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FingerprintThatCameForAnotherTarget_HidesNoAlert(bool isOver)
    {
        await using var world = new IntakeWorld(Given.Runbook());
        await world.TakeAsync(Pod("llm-b-0") with { Fingerprint = "same", StartsAt = Given.Night.AddMinutes(4.9) });
        if (isOver)
        {
            await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);
        }

        var own = (await world.TakeAsync(Pod("llm-b-1") with { Fingerprint = "same", StartsAt = Given.Night.AddMinutes(-1) }))[0];

        (own.Outcome, own.Target).ShouldBe((IntakeResult.Opened, "inference/llm-b-1"));
    }

    [Fact]
    public async Task StartAheadWithinWhatClocksMayDiffer_MakesNoLaterAlertAnEarlierOne()
    {
        await using var world = new IntakeWorld(Given.Runbook());
        await world.TakeAsync(Pod("llm-b-0") with { StartsAt = Given.Night.AddMinutes(4.9) });
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);
        await world.TakeAsync(Pod("llm-b-0") with { Status = AlertStatus.Resolved, StartsAt = Given.Night.AddMinutes(4.9), EndsAt = Given.Night.AddMinutes(4.9) });

        (await world.TakeAsync(Pod("llm-b-0") with { StartsAt = Given.Night.AddSeconds(-15) }))[0].Outcome.ShouldNotBe(IntakeResult.Ignored);
    }

    [Fact]
    public async Task FiringAgainWithoutTheLabelOfItsTarget_ReachesTheIncidentOfItsFingerprint()
    {
        await using var world = new IntakeWorld(Given.Runbook());

        await world.TakeAsync(Pod("llm-b-0") with { Fingerprint = "same" });
        await world.TakeAsync(Pod("llm-b-0") with { Fingerprint = "same", Labels = new Dictionary<string, string> { ["namespace"] = "inference" } });

        world.Only.Alerts.ShouldHaveSingleItem().Count.ShouldBe(2);
    }

    [Fact]
    public async Task NewsOfAResourceThatStandsSecond_ReachesItsIncident()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("vm", "{{ labels.subscription }}", "azure-monitor", "vm-unhealthy", checks: false));
        await world.TakeAsync(News("vm-1") with { Labels = new Dictionary<string, string> { ["monitoringService"] = "Resource Health", ["subscription"] = "sub-a", ["currentHealthStatus"] = "Unavailable" } });

        var outcomes = await world.TakeAsync(News("vm-2"), News("vm-1"));

        outcomes.Select(outcome => outcome.Outcome).ShouldBe([IntakeResult.Ignored, IntakeResult.Folded]);

        static Alert News(string vm) => new()
        {
            Source = "azure-monitor",
            Name = "vm-unhealthy",
            Fingerprint = vm,
            Labels = new Dictionary<string, string> { ["monitoringService"] = "Resource Health", ["subscription"] = "sub-a", ["status"] = "Updated" },
        };
    }

    [Fact]
    public async Task ResolvedThatNoTriggerFitsAnyMore_StillReachesItsIncident()
    {
        await using var world = new IntakeWorld(s_prod);
        await world.PostAsync("azure-monitor", "03-service-health-prod-active.json");
        var fired = world.Only.Alert;

        var outcome = (await world.TakeAsync(fired with { Status = AlertStatus.Resolved, Labels = new Dictionary<string, string>() }))[0];

        outcome.Outcome.ShouldBe(IntakeResult.Resolved);
    }

    [Theory]
    [InlineData("prod")]
    [InlineData("any")]
    public async Task OutageIsMitigated_TheOpenQuestionLearnsItAndStands(string rule)
    {
        await using var world = new IntakeWorld(s_prod, s_any);
        await world.PostAsync("azure-monitor", $"03-service-health-{rule}-active.json");

        var outcome = await world.PostAsync("azure-monitor", $"03-service-health-{rule}-resolved.json");

        outcome.Outcome.ShouldBe(IntakeResult.Folded);
        var incident = world.Only;
        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.News.ShouldHaveSingleItem().Text.ShouldBe($"Azure says of outage {incident.Alert.Labels["trackingId"]}, stage Resolved: Sign-in failures - Mitigated");
        incident.Timeline.ShouldContain(line => line.What.EndsWith("Sign-in failures - Mitigated"));
    }

    [Fact]
    public async Task ReviewAfterTheOutageWasClosed_OpensNothingAndIsOnRecord()
    {
        await using var world = new IntakeWorld(s_any);
        await world.PostAsync("azure-monitor", "03-service-health-any-active.json");
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);
        var review = world.Only.Alert with { Fingerprint = "rca", Summary = "Post incident review", Labels = new Dictionary<string, string>(world.Only.Alert.Labels) { ["stage"] = "RCA" } };

        var outcome = (await world.TakeAsync(review))[0];

        outcome.Outcome.ShouldBe(IntakeResult.Folded);
        outcome.Reason!.ShouldContain("asks nobody");
        world.Only.Timeline[^1].What.ShouldContain("stage RCA: Post incident review");
    }

    /// <summary>No fix ends an outage of Azure: the next of its messages, an hour later, is no reason to do the same again.</summary>
    [Fact]
    public async Task OutageGoesOnAfterSomethingWasDoneAboutIt_DoesNotAskAgain()
    {
        await using var world = new IntakeWorld(s_any);
        await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active"));
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Approve);
        (await world.World.AdvanceAsync(world.Only.Id, TimeSpan.FromMinutes(50))).State.ShouldBe(IncidentState.Resolved);

        var next = (await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active") with { Fingerprint = "next", Summary = "We are working on it" }))[0];

        (next.Outcome, next.Id).ShouldBe((IntakeResult.Folded, world.Only.Id));
        next.Reason!.ShouldContain($"what was done about it in incident {world.Only.Id} stands");
        world.Only.Timeline[^1].What.ShouldBe("Azure says of outage QK7-T90, stage Active: We are working on it");
        (await world.TakeAsync(Outage("OTHER", "sub-a", "Active") with { Fingerprint = "other" }))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    /// <summary>The step found things so already: nothing stands that was done about the outage.</summary>
    [Fact]
    public async Task OutageGoesOnAfterAStepThatChangedNothing_AsksAgain()
    {
        await using var world = new IntakeWorld(s_any);
        await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active"));
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Approve);
        (await world.World.AdvanceAsync(world.Only.Id, TimeSpan.FromMinutes(50))).State.ShouldBe(IncidentState.Resolved);
        await world.World.Store.UpdateAsync(
            world.Only.Id, incident => (incident with { Steps = [.. incident.Steps.Select(step => step with { Preparation = step.Preparation with { IsSo = true } })] }, true), TestContext.Current.CancellationToken);

        (await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active") with { Fingerprint = "next" }))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    /// <summary>What was done has been taken back, or nobody has decided: the next message asks.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OutageGoesOnAndNothingIsDoneAboutIt_AsksAgain(bool acted)
    {
        await using var world = new IntakeWorld(s_any);
        await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active"));
        if (acted)
        {
            await world.World.DecideAsync(world.Only.Id, DecisionVerb.Approve);
        }

        await world.World.AdvanceAsync(world.Only.Id, TimeSpan.FromMinutes(50));
        if (acted)
        {
            await world.World.Store.UpdateAsync(
                world.Only.Id, incident => (incident with { Steps = [.. incident.Steps.Select(step => step with { Status = StepStatus.Undone })] }, true), TestContext.Current.CancellationToken);
        }

        (await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active") with { Fingerprint = "next" }))[0].Outcome.ShouldBe(IntakeResult.Opened);
        world.World.Store.All.ShouldAllBe(incident => incident.RecurrenceLines().Count == 0);
    }

    [Fact]
    public async Task OutageInTwoSubscriptions_AsksAboutEach()
    {
        await using var world = new IntakeWorld(s_any with { Target = "{{ labels.subscription }}" });
        await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active"));
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);

        (await world.TakeAsync(Outage("QK7-T90", "sub-b", "Active")))[0].Outcome.ShouldBe(IntakeResult.Opened);
        (await world.TakeAsync(Outage("QK7-T90", "sub-b", "Resolved")))[0].Target.ShouldBe("sub-b");

        world.World.Store.All.Select(incident => (incident.Target, incident.News.Count)).ShouldBe([("sub-a", 0), ("sub-b", 1)], ignoreOrder: true);
    }

    [Fact]
    public async Task TwoOutagesOnOneTarget_EachTellsItsOwnEnd()
    {
        await using var world = new IntakeWorld(s_any with { Target = "{{ labels.service }}" });
        await world.TakeAsync(Outage("X-1", "sub-a", "Active"));
        await world.TakeAsync(Outage("Y-2", "sub-a", "Active"));

        await world.TakeAsync(Outage("X-1", "sub-a", "Resolved"));
        await world.TakeAsync(Outage("Y-2", "sub-a", "Resolved"));

        world.Only.News.Select(news => news.Text).ShouldBe(["Azure says of outage X-1, stage Resolved", "Azure says of outage Y-2, stage Resolved"]);
        world.Only.Timeline.Count(line => line.What.Contains("stage Resolved")).ShouldBe(2);
    }

    private static Alert Outage(string id, string subscription, string stage) => new()
    {
        Source = "azure-monitor",
        Name = "ServiceHealth-Any",
        Fingerprint = $"{id} {subscription} {stage}",
        Labels = new Dictionary<string, string> { ["monitoringService"] = "ServiceHealth", ["trackingId"] = id, ["stage"] = stage, ["service"] = "Azure OpenAI", ["subscription"] = subscription },
        Resources = [$"/subscriptions/{subscription}"],
    };

    [Fact]
    public async Task ResourceIsAvailableAgain_IsTheEndOfItsAlertThoughAzureFiresIt()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("vm", "{{ labels.resourceName }}", "azure-monitor", "vm-unhealthy", new() { ["currentHealthStatus"] = "Unavailable" }, checks: false));
        await world.TakeAsync(Health("1", "Activated", "\"Unavailable\""));

        var over = (await world.TakeAsync(Health("3", "Resolved", "\"Available\"")))[0];

        over.Outcome.ShouldBe(IntakeResult.Resolved);
        world.Only.State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task HealthUpdateWithoutAStatus_IsNewsAndOpensNothing()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("vm", "{{ labels.resourceName }}", "azure-monitor", "vm-unhealthy"));
        (await world.TakeAsync(Health("0", "Updated", "null")))[0].Outcome.ShouldBe(IntakeResult.Ignored);
        await world.TakeAsync(Health("1", "Activated", "\"Unavailable\""));

        var open = (await world.TakeAsync(Health("2", "Updated", "null")))[0];
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);
        var closed = (await world.TakeAsync(Health("3", "InProgress", "null")))[0];

        (open.Outcome, closed.Outcome).ShouldBe((IntakeResult.Folded, IntakeResult.Folded));
        world.Only.News.ShouldHaveSingleItem().Text.ShouldBe("Azure tells of the resource, which ends nothing: vm-1");
    }

    [Fact]
    public async Task HealthAlertOfWhichTheContextIsMissing_StillOpensAnIncident()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("vm", "{{ alert.name }}", "azure-monitor", "vm-unhealthy"));

        (await world.TakeAsync(Parsing.Readers.ReadOne("azure-monitor", """
            {"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"1","alertRule":"vm-unhealthy","monitorCondition":"Fired","monitoringService":"Resource Health",
            "alertTargetIDs":["/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-1"],"firedDateTime":"2026-11-23T01:00:00Z"}}}
            """)))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    private static Alert Health(string id, string operation, string status) => Parsing.Readers.ReadOne("azure-monitor", $$$"""
        {"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"{{{id}}}","alertRule":"vm-unhealthy","monitorCondition":"Fired","monitoringService":"Resource Health",
        "alertTargetIDs":["/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-1"],"firedDateTime":"2026-11-23T0{{{id}}}:00:00Z"},
        "alertContext":{"operationName":"Microsoft.Resourcehealth/healthevent/{{{operation}}}/action","eventSource":"ResourceHealth","status":"{{{operation}}}",
        "properties":{"title":"vm-1","currentHealthStatus":{{{status}}} } } } }
        """);

    [Fact]
    public async Task NamesOfAzureEventsInTwoCases_AreOneTarget()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("certificates", "{{ labels.VaultName }}/{{ labels.ObjectName }}", "event-grid", "*"));

        await world.TakeAsync(Certificate("NearExpiry", "KV-Prod", "Web"), Certificate("Expired", "kv-prod", "web"));

        world.Only.Alerts.Count.ShouldBe(2);

        static Alert Certificate(string what, string vault, string name) => new()
        {
            Source = "event-grid",
            Name = $"Microsoft.KeyVault.Certificate{what}",
            Fingerprint = what,
            Labels = new Dictionary<string, string> { ["VaultName"] = vault, ["ObjectName"] = name },
        };
    }

    [Fact]
    public async Task ReviewOfAnUnknownOutage_IsIgnoredUnlessATriggerAsksForIt()
    {
        await using var world = new IntakeWorld(s_any);
        var review = new Alert
        {
            Source = "azure-monitor",
            Name = "ServiceHealth-Any",
            Fingerprint = "rca",
            Labels = new Dictionary<string, string> { ["monitoringService"] = "ServiceHealth", ["trackingId"] = "1VSG-N50", ["stage"] = "RCA" },
        };

        (await world.TakeAsync(review))[0].Outcome.ShouldBe(IntakeResult.Ignored);
        world.Runbooks[0] = s_any with { Trigger = [s_any.Trigger[0] with { Labels = new Dictionary<string, string> { ["stage"] = "RCA" } }] };
        (await world.TakeAsync(review))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    private static Alert Pod(string pod) => Given.Alert() with { Fingerprint = pod, Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = pod } };
}
