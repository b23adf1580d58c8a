using Runbooks.Model.Alerts;
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

    [Theory]
    [InlineData(" resolved ", true)]
    [InlineData("RCA", true)]
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
    public void Target_IsComparedAsTheWorldDoesInWhichItIsAName(string source, string? service, string target, string key) =>
        TargetKey.Of(target, Alert(source, ("monitoringService", service))).ShouldBe(key);

    private static Alert Alert(string source, params (string Name, string? Value)[] labels) => Some.Alert() with
    {
        Source = source,
        Labels = labels.Where(label => label.Value is not null).ToDictionary(label => label.Name, label => label.Value!),
    };
}
