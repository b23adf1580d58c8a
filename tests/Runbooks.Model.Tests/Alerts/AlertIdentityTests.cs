using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using TestKit;

namespace Runbooks.Model.Tests.Alerts;

public sealed class AlertIdentityTests
{
    [Theory]
    [InlineData("azure-monitor", "ID-1", "azure-monitor:id-1")]
    [InlineData("alertmanager", "ID-1", "alertmanager:ID-1")]
    public void Case_MeansNothingInAzureOnly(string source, string fingerprint, string identity) => AlertIdentity.Of(source, fingerprint).ShouldBe(identity);

    [Theory]
    [InlineData("azure-monitor", "ServiceHealth", " ABCD-1 ", "azure-service-health::abcd-1")]
    [InlineData("azure-monitor", "servicehealth", "abcd-1", "azure-service-health::abcd-1")]
    [InlineData("azure-monitor", "Service Health", "abcd-1", "azure-service-health::abcd-1")]
    [InlineData("alertmanager", "ServiceHealth", "abcd-1", null)]
    [InlineData("azure-monitor", "Platform", "abcd-1", null)]
    [InlineData("azure-monitor", null, "abcd-1", null)]
    [InlineData("azure-monitor", "ServiceHealth", " ", null)]
    [InlineData("azure-monitor", "ServiceHealth", null, null)]
    public void Outage_IsKnownByItsTrackingId(string source, string? service, string? id, string? outage)
    {
        var alert = Alert(source, ("monitoringService", service), ("trackingId", id), ("stage", "Active"));

        AlertIdentity.OfOutage(alert).ShouldBe(outage);
        AlertIdentity.Stage(alert).ShouldBe(outage is null ? null : "Active");
        AlertIdentity.All(alert).ShouldBe(outage is null ? [AlertIdentity.Of(alert)] : [AlertIdentity.Of(alert), outage]);
    }

    [Fact]
    public void Stage_IsTheStatusWhereThereIsNone() =>
        AlertIdentity.Stage(Alert("azure-monitor", ("monitoringService", "ServiceHealth"), ("trackingId", "1"), ("status", "Resolved"))).ShouldBe("Resolved");

    [Fact]
    public void Stage_IsTheStageWhereThereAreBoth() =>
        AlertIdentity.Stage(Alert("azure-monitor", ("monitoringService", "ServiceHealth"), ("trackingId", "1"), ("stage", "Active"), ("status", "Resolved"))).ShouldBe("Active");

    [Theory]
    [InlineData(" resolved ", true)]
    [InlineData("Mitigated", true)]
    [InlineData("RCA", true)]
    [InlineData("Complete", true)]
    [InlineData("Completed", true)]
    [InlineData("Canceled", true)]
    [InlineData("Cancelled", true)]
    [InlineData("Active", false)]
    public void Stage_ThatEndsAnOutage(string stage, bool over) => AlertIdentity.EndsOutage(stage).ShouldBe(over);

    [Fact]
    public void StartedByHand_IsNotKnownAgain() => AlertIdentity.All(Alert("manual")).ShouldBeEmpty();

    [Theory]
    [InlineData("azure-monitor", true)]
    [InlineData("alertmanager", true)]
    [InlineData("grafana", true)]
    [InlineData("generic", false)]
    public void Sender_WhoseIdentitiesNameOneThing(string source, bool one) => AlertIdentity.NamesOneThing(Alert(source)).ShouldBe(one);

    [Theory]
    [InlineData("azure-monitor", null, "Web-1", "web-1")]
    [InlineData("azure-monitor", "Platform", "Web-1", "web-1")]
    [InlineData("azure-monitor", "prometheus", "Web-1", "Web-1")]
    [InlineData("azure-monitor", "Prometheus", "/Subscriptions/S/Web-1", "/subscriptions/s/web-1")]
    [InlineData("grafana", null, "Web-1", "Web-1")]
    [InlineData("alertmanager", null, "Mu\u0308nchen", "M\u00FCnchen")]
    [InlineData("azure-monitor", null, "Mu\u0308nchen", "m\u00FCnchen")]
    public void Target_IsComparedAsTheWorldDoesInWhichItIsAName(string source, string? service, string target, string key) =>
        TargetKey.Of(target, Alert(source, ("monitoringService", service))).ShouldBe(key);

    /// <summary>One id names the event for all subscriptions, and each has its own trouble with it.</summary>
    [Theory]
    [InlineData("/subscriptions/S1/resourceGroups/g", "s1")]
    [InlineData("/Subscriptions/S1", "s1")]
    [InlineData("/providers/S1", "s2")]
    [InlineData(null, "s2")]
    public void Outage_IsThatOfASubscription(string? resource, string subscription)
    {
        var alert = Alert("azure-monitor", ("monitoringService", "ServiceHealth"), ("trackingId", "1"), ("subscription", "S2")) with { Resources = resource is null ? [] : [resource] };

        AlertIdentity.OfOutage(alert).ShouldBe($"azure-service-health:{subscription}:1");
    }

    /// <summary>Two events are two, however much they say the same: a no to one is none to the other.</summary>
    [Theory]
    [InlineData("azure-monitor", "ActivityLog - Administrative", true, false)]
    [InlineData("azure-monitor", "Activity Log - Security", true, false)]
    [InlineData("azure-monitor", "ServiceHealth", true, false)]
    [InlineData("azure-monitor", "Resource Health", true, true)]
    [InlineData("azure-monitor", "Platform", false, false)]
    [InlineData("azure-monitor", null, false, false)]
    [InlineData("alertmanager", "ActivityLog - Administrative", false, false)]
    [InlineData("alertmanager", "ServiceHealth", false, false)]
    [InlineData("alertmanager", "ResourceHealth", false, false)]
    public void Event_IsWhatAzureTellsOnce(string source, string? service, bool isEvent, bool ofResource)
    {
        var alert = Alert(source, ("monitoringService", service));

        (AlertIdentity.IsEvent(alert), AlertIdentity.IsOfResourceHealth(alert)).ShouldBe((isEvent, ofResource));
    }

    /// <summary>A runbook that Azure starts has targets that ignore case, whoever names one.</summary>
    [Theory]
    [InlineData("azure-monitor", "*", true)]
    [InlineData("event-grid", "Microsoft.KeyVault.*", true)]
    [InlineData("event-grid", "Contoso.*", false)]
    [InlineData("alertmanager", "Microsoft.KeyVault.*", false)]
    [InlineData(null, "*", false)]
    public void TargetOfAPerson_IsNamedAsTheRunbooksWorldDoes(string? trigger, string name, bool ignoresCase)
    {
        Trigger[] triggers = [new("alertmanager", "Other", [], new Dictionary<string, string>()), new(trigger, name, [], new Dictionary<string, string>())];
        var alert = Alert("manual");

        TargetKey.Named("Web-1", alert, triggers).ShouldBe(ignoresCase ? "web-1" : "Web-1");
        TargetKey.IsSame("WEB-1", "web-1", alert, triggers).ShouldBe(ignoresCase);
        TargetKey.IsSame("WEB-2", "web-1", alert, triggers).ShouldBeFalse();
    }

    /// <summary>What Azure itself names keeps the case that people read; it is compared without it.</summary>
    [Fact]
    public void TargetThatAzureNames_IsShownAsItWasWritten()
    {
        Trigger[] triggers = [new("azure-monitor", "*", [], new Dictionary<string, string>())];

        TargetKey.Named("Web-1", Alert("azure-monitor"), triggers).ShouldBe("Web-1");
        TargetKey.IsSame("WEB-1", "web-1", Alert("azure-monitor"), triggers).ShouldBeTrue();
    }

    [Theory]
    [InlineData("event-grid", "Microsoft.KeyVault.SecretNearExpiry", "web-1")]
    [InlineData("event-grid", "Contoso.Item", "Web-1")]
    [InlineData("generic", "Microsoft.KeyVault.SecretNearExpiry", "Web-1")]
    public void NameInAzuresOwnEvent_IgnoresCase(string source, string name, string key) => TargetKey.Of("Web-1", Alert(source) with { Name = name }).ShouldBe(key);

    [Theory]
    [InlineData("grafana", "DatasourceError", "Disk")]
    [InlineData("alertmanager", "DatasourceNoData", "Disk")]
    [InlineData("generic", "DatasourceError", null)]
    [InlineData("grafana", "Disk", null)]
    public void GrafanasOwnAlert_NamesTheRuleThatCannotBeMeasured(string source, string name, string? rule) =>
        GrafanaRule.NameOf(Alert(source, ("rulename", "Disk")) with { Name = name }).ShouldBe(rule);

    [Theory]
    [InlineData("MissingSeries", null)]
    [InlineData("Error", null)]
    [InlineData("NoData", null)]
    [InlineData("Paused", "Paused")]
    public void GrafanasOwnAlert_EndsWithoutAReasonWhereTheRuleIsMeasuredAgain(string reason, string? stopped) => GrafanaRule.StoppedBecause(reason).ShouldBe(stopped);

    /// <summary>What only one of both has says nothing, and neither do the labels that Grafana's own alert has of itself.</summary>
    [Theory]
    [InlineData("folder", "infra", true)]
    [InlineData("folder", "apps", false)]
    [InlineData("host", "web-1", true)]
    [InlineData("severity", "warning", true)]
    [InlineData("alertname", "Disk", true)]
    [InlineData("rulename", "Disk of one host", true)]
    [InlineData("ref_id", "B", true)]
    [InlineData("datasource_uid", "p2", true)]
    public void GrafanasOwnAlert_IsOfTheRuleUnlessALabelSaysOtherwise(string label, string value, bool may) => GrafanaRule.MayBe(
        Alert("grafana", (label, value)),
        Alert("grafana", ("folder", "infra"), ("severity", "critical"), ("alertname", "DatasourceError"), ("rulename", "Disk"), ("ref_id", "A"), ("datasource_uid", "p1"))).ShouldBe(may);

    private static Alert Alert(string source, params (string Name, string? Value)[] labels) => Some.Alert() with
    {
        Source = source,
        Labels = labels.Where(label => label.Value is not null).ToDictionary(label => label.Name, label => label.Value!),
    };
}
