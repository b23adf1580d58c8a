namespace Runbooks.Tests.Intake.Parsing;

public class AlertGroupTests
{
    [Theory]
    [InlineData("alertmanager", "7", "$.truncatedAlerts: 7 alerts left out by the sender; raise max_alerts at the sender, or group its alerts more finely")]
    [InlineData("grafana", "7", "$.truncatedAlerts: 7 alerts left out by the sender; raise max_alerts at the sender, or group its alerts more finely")]
    [InlineData("alertmanager", "0", null)]
    [InlineData("grafana", "null", null)]
    public void AlertsTheSenderLeftOut_AreTold(string source, string truncated, string? expected)
    {
        var parsed = Readers.Read(source, $$"""{"truncatedAlerts":{{truncated}},"alerts":[{"labels":{"alertname":"A"} }]}""");

        parsed.IsRefused.ShouldBeFalse();
        parsed.Lost.ShouldBe(expected is null ? 0 : 7);
        parsed.Errors.Select(error => error.ToString()).ShouldBe(expected is null ? [] : [expected]);
    }
}
