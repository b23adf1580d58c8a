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

        var later = (await world.TakeAsync(Pod("llm-b-0") with { StartsAt = Given.Night.AddSeconds(-15) }))[0];

        (later.Outcome, later.Id).ShouldBe((IntakeResult.Folded, world.Only.Id));
        later.Reason.ShouldNotBeNull().ShouldStartWith("It still fires and does not ask again: ");
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

    /// <summary>The trigger asks for a severity, which who acknowledges it does not send again.</summary>
    [Fact]
    public async Task AcknowledgedWithoutWhatTheTriggerAsksFor_ReachesTheIncidentOfItsFingerprint()
    {
        var runbook = IntakeWorld.Runbook("disk", "{{ labels.host }}", "generic", "DiskFull");
        await using var world = new IntakeWorld(runbook with { Trigger = [runbook.Trigger[0] with { Severity = ["critical"] }] });
        var alert = Given.Alert() with { Source = "generic", Name = "DiskFull", Severity = "critical", Labels = new Dictionary<string, string> { ["host"] = "db-01" } };
        await world.TakeAsync(alert);

        var outcome = (await world.TakeAsync(alert with { Status = AlertStatus.Acknowledged, Severity = null, Labels = new Dictionary<string, string>() }))[0];

        (outcome.Outcome, outcome.Id).ShouldBe((IntakeResult.Folded, world.Only.Id));
        world.Only.Timeline.ShouldContain(line => line.What.Contains("acknowledged at the sender"));
    }

    private static Alert Pod(string pod) => Given.Alert() with { Fingerprint = pod, Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = pod } };
}
