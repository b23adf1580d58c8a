using System.Text;
using Runbooks.Intake.Parsing.AzureMonitor;

namespace Runbooks.Tests.Intake.Parsing;

/// <summary>
/// The cases in <c>cases/event-grid</c> have the shapes that Microsoft documents, with values of our own:
/// AKS https://learn.microsoft.com/azure/event-grid/event-schema-aks,
/// Key Vault https://learn.microsoft.com/azure/event-grid/event-schema-key-vault,
/// Resource Notifications https://learn.microsoft.com/azure/event-grid/event-schema-health-resources and
/// https://learn.microsoft.com/azure/event-grid/handle-health-resources-events-using-azure-monitor-alerts,
/// alerts https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema.
/// </summary>
public class EventGridTests
{
    [Theory]
    [InlineData("""[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6"}}]""", "512d38b6")]
    [InlineData("""{"eventType":"microsoft.eventgrid.subscriptionvalidationevent","data":{"validationCode":"512d38b6"}}""", "512d38b6")]
    [InlineData("""[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":7}}]""", null)]
    [InlineData("""[{"eventType":"Microsoft.KeyVault.SecretExpired","data":{"validationCode":"512d38b6"}}]""", null)]
    [InlineData("not json", null)]
    public void ValidationCode_IsThatOfTheValidationEvent(string json, string? code) =>
        EventGridSubscription.ValidationCode(Encoding.UTF8.GetBytes(json)).ShouldBe(code);

    [Fact]
    public void EventOfTheSameKindOnTheSameThing_HasTheSameIdentity()
    {
        Fingerprint("SecretNearExpiry", "/subscriptions/S1", "db").ShouldBe(Fingerprint("SecretNearExpiry", "/SUBSCRIPTIONS/s1", "db"));
        Fingerprint("SecretNearExpiry", "/subscriptions/S1", "db").ShouldNotBe(Fingerprint("SecretExpired", "/subscriptions/S1", "db"));
        Fingerprint("SecretNearExpiry", "/subscriptions/S1", "db").ShouldNotBe(Fingerprint("SecretNearExpiry", "/subscriptions/S1", "mail"));
    }

    [Fact]
    public void TwoScheduledEventsOfOneMachine_AreTwoThings()
    {
        string Of(string id, string status) => Readers.ReadOne("event-grid", $$$"""
            {"specversion":"1.0","id":"{{{Guid.NewGuid()}}}","type":"Microsoft.ResourceNotifications.ComputeResources.ScheduledEventEmitted","source":"/subscriptions/s","subject":"/subscriptions/s/vm1",
             "data":{"resourceInfo":{"properties":{"eventId":"{{{id}}}","eventStatus":"{{{status}}}" } } } }
            """).Fingerprint;

        Of("A", "Scheduled").ShouldNotBe(Of("B", "Canceled"));
        Of("A", "Scheduled").ShouldBe(Of("a", "Completed"));
    }

    /// <summary>Of a cluster the subject names no node pool, and of a resource no policy (learn.microsoft.com/azure/event-grid/event-schema-policy).</summary>
    [Theory]
    [InlineData("Microsoft.ContainerService.NodePoolRollingFailed", """{"nodePoolName":"gpu1"}""", """{"nodePoolName":"gpu2"}""", false)]
    [InlineData("Microsoft.PolicyInsights.PolicyStateChanged", """{"policyAssignmentId":"/a/1","complianceState":"NonCompliant"}""", """{"policyAssignmentId":"/a/2","complianceState":"NonCompliant"}""", false)]
    [InlineData("Microsoft.PolicyInsights.PolicyStateChanged", """{"policyAssignmentId":"/a/1","timestamp":"2026-11-25T01:39:48Z","severity":"low"}""", """{"policyAssignmentId":"/A/1","timestamp":"2026-11-25T02:39:48Z","severity":"high"}""", true)]
    [InlineData("Microsoft.Resources.ResourceWriteFailure", """{"operationName":"write","correlationId":"1"}""", """{"operationName":"write","correlationId":"2"}""", true)]
    [InlineData("Microsoft.ResourceNotifications.HealthResources.ResourceAnnotated", """{"resourceInfo":{"properties":{"annotationName":"Rebooted","occurredTime":"2026-11-25T01:39:48.33Z"}}}""", """{"resourceInfo":{"properties":{"annotationName":"Rebooted","occurredTime":"2026-11-26T01:39:48.33Z"}}}""", true)]
    [InlineData("Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged", """{"resourceInfo":{"properties":{"availabilityState":"Unavailable"}}}""", """{"resourceInfo":{"properties":{"availabilityState":"Available"}}}""", true)]
    public void SameKindOnTheSameSubject_IsToldApartByWhatTheDataSays(string type, string first, string second, bool same)
    {
        string Of(string data) => Readers.ReadOne("event-grid", $$"""{"specversion":"1.0","id":"{{Guid.NewGuid()}}","type":"{{type}}","source":"/subscriptions/s","subject":"b","data":{{data}}}""").Fingerprint;

        (Of(first) == Of(second)).ShouldBe(same);
    }

    [Fact]
    public void DataOfAnEvent_CannotStandInForItsSource() =>
        Readers.ReadOne("event-grid", """{"specversion":"1.0","type":"T","source":"/subscriptions/s/resourceGroups/g/providers/A/b/real","data":{"source":"x","resourceName":"other"}}""")
            .Labels["resourceName"].ShouldBe("real");

    private static string Fingerprint(string type, string source, string subject) =>
        Readers.ReadOne("event-grid", $$"""{"specversion":"1.0","id":"{{Guid.NewGuid()}}","type":"{{type}}","source":"{{source}}","subject":"{{subject}}"}""").Fingerprint;
}
