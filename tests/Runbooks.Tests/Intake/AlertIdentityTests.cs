using Microsoft.Extensions.Time.Testing;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using TestKit;
using TestKit.Engine;
using TestKit.Storage;

namespace Runbooks.Tests.Intake;

/// <summary>Alerts that say too little, and words that are neither firing nor resolved.</summary>
public sealed class AlertIdentityTests
{
    private readonly FakeTimeProvider _time = new(Some.Time);
    private readonly InMemoryIncidentStore _store = new();
    private readonly IncidentIntake _intake;

    public AlertIdentityTests()
    {
        _intake = SomeIntake.On(
            () => [Some.Runbook(alert: "*") with { Target = "{{ labels.instance }}" }, Some.Runbook("two-parts", "*") with { Target = "{{ labels.cluster }}/{{ labels.pod }}" }],
            _store, new RecordingEngine(_time), _time);
    }

    [Fact]
    public async Task TwoGrafanaRulesWithoutTheLabel_AreTwoIncidentsThatNameTheirRules()
    {
        await TakeAsync(NoData("Host CPU", "aa01"), NoData("Disk space", "aa02"));

        var targets = Targets("hanged-gpu");
        targets.Count.ShouldBe(2);
        targets[0].ShouldStartWith("Host CPU A (DatasourceNoData), without labels.instance, alert ");
        targets[1].ShouldStartWith("Disk space A (DatasourceNoData), without labels.instance, alert ");
    }

    [Fact]
    public async Task RepeatAndEndOfAnAlertWithoutTheLabel_ReachItsIncident()
    {
        await TakeAsync(NoData("Host CPU", "aa01"));
        (await TakeAsync(NoData("Host CPU", "aa01")))[0].Outcome.ShouldBe(IntakeResult.Folded);
        (await TakeAsync(NoData("Host CPU", "aa01") with { Status = AlertStatus.Resolved }))[0].Outcome.ShouldBe(IntakeResult.Resolved);

        Targets("hanged-gpu").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task PartOfTheTargetThatIsKnown_StaysInFront()
    {
        await TakeAsync(Some.Alert() with { Labels = new Dictionary<string, string> { ["pod"] = "llm-b-0" } });

        Targets("two-parts").ShouldHaveSingleItem().ShouldStartWith("?/llm-b-0 (HighLatency_Cluster_B, without labels.cluster, alert ");
    }

    [Fact]
    public async Task SameAzureAlertFiringAnew_StaysOneIncident()
    {
        var alert = Some.Alert() with { Source = "azure-monitor", Resources = ["/subscriptions/s1"], Fingerprint = "alerts/1" };
        await TakeAsync(alert);
        await TakeAsync(alert with { Fingerprint = "alerts/2" });

        Targets("hanged-gpu").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Acknowledgement_IsRecordedOnceOnTheOpenIncident()
    {
        await TakeAsync(Some.Alert());
        var outcome = (await TakeAsync(Acknowledged()))[0];
        await TakeAsync(Acknowledged());

        outcome.Outcome.ShouldBe(IntakeResult.Folded);
        outcome.Reason.ShouldNotBeNull().ShouldContain("acknowledged");
        var incident = _store.All.First(i => i.RunbookId == "hanged-gpu");
        incident.Timeline.Count(line => line.What.Contains("acknowledged at the sender")).ShouldBe(1);
        incident.AlertCount.ShouldBe(1);
        incident.AlertResolvedAt.ShouldBeNull();
        incident.State.ShouldBe(IncidentState.Diagnosing);
    }

    [Fact]
    public async Task AcknowledgementWithoutAnIncident_OpensNone()
    {
        var outcome = (await TakeAsync(Acknowledged()))[0];

        outcome.Outcome.ShouldBe(IntakeResult.Ignored);
        outcome.Reason.ShouldNotBeNull().ShouldContain("opens none");
        _store.All.ShouldBeEmpty();
    }

    private static Alert Acknowledged() => Some.Alert() with { Status = AlertStatus.Acknowledged };

    private static Alert NoData(string rule, string fingerprint) => new()
    {
        Source = "grafana",
        Name = "DatasourceNoData",
        Fingerprint = fingerprint,
        Labels = new Dictionary<string, string> { ["alertname"] = "DatasourceNoData", ["ref_id"] = "A", ["rulename"] = rule },
    };

    private List<string> Targets(string runbook) => [.. _store.All.Where(i => i.RunbookId == runbook).Select(i => i.Target).OrderDescending(StringComparer.Ordinal)];

    private Task<IReadOnlyList<IntakeOutcome>> TakeAsync(params Alert[] alerts) => _intake.ReceiveAsync(alerts, CancellationToken.None);
}
