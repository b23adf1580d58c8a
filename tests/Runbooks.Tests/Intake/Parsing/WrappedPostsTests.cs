using Runbooks.Model.Alerts;

namespace Runbooks.Tests.Intake.Parsing;

/// <summary>An alert in another place than its schema says, as flows and scripts pass it on.</summary>
public sealed class WrappedPostsTests
{
    [Theory]
    [InlineData("generic", """{"alerts":{"name":"Slow","labels":{"host":"a"}}}""")]
    [InlineData("azure-monitor", """{"statusCode":200,"headers":{},"body":{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"/subscriptions/s/alerts/a","alertRule":"Slow","monitorCondition":"Fired"}}}}""")]
    public void OneThatIsWrapped_IsRead(string source, string json)
    {
        var parsed = Readers.Read(source, json);

        parsed.Alerts.ShouldHaveSingleItem().Name.ShouldBe("Slow");
        parsed.Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"schemaId":"azureMonitorCommonAlertSchema","data":"{\"essentials\":{\"alertRule\":\"Slow\"}}"}""", "$.data")]
    [InlineData("""{"body":"{\"data\":{\"essentials\":{\"alertRule\":\"Slow\"}}}"}""", "$.body")]
    public void AlertAsAText_IsNotToldToSwitchOnWhatIsOn(string json, string path) =>
        Readers.Read("azure-monitor", json).Errors.ShouldHaveSingleItem().ToString().ShouldBe($"{path}: the alert as a text; post the JSON itself and not as a text");

    [Fact]
    public void StatusThatIsAnObject_IsTakenAsFiringAndTold()
    {
        var parsed = Readers.Read("generic", """{"name":"A","status":{"a":1}}""");

        parsed.Alerts.ShouldHaveSingleItem().Status.ShouldBe(AlertStatus.Firing);
        parsed.Warnings.ShouldHaveSingleItem().ToString().ShouldStartWith("$.status: an object; this status is not known, so the alert is taken as firing");
    }
}
