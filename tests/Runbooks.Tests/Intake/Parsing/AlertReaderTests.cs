using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;

namespace Runbooks.Tests.Intake.Parsing;

public class AlertReaderTests
{
    [Fact]
    public void BuiltInSources_AreThoseOfTheContract() =>
        Readers.BuiltIn.Sources.ShouldBe(["alertmanager", "azure-monitor", "event-grid", "generic", "grafana"]);

    [Fact]
    public void UnknownSource_IsNotKnown() => Readers.BuiltIn.Knows("nagios").ShouldBeFalse();

    [Fact]
    public void SourceInOtherCase_IsTheSameSource() => Readers.Read("Generic", """{"name":"A"}""").Alerts.ShouldHaveSingleItem().Source.ShouldBe("generic");

    [Fact]
    public void GenericRunbookThatCanBeNoId_IsToldAndNamesNone()
    {
        var parsed = Readers.Read("generic", """{"name":"A","runbook":"https://wiki.contoso.com/gpu"}""");

        parsed.Alerts.ShouldHaveSingleItem().Runbook.ShouldBeNull();
        parsed.Warnings.ShouldHaveSingleItem().Path.ShouldBe("$.runbook");
    }

    [Theory]
    [InlineData("firing", "Error", "Grafana could not measure it (Error): Web app is down on edge-01")]
    [InlineData("firing", "", "Web app is down on edge-01")]
    [InlineData("resolved", "Error", "Web app is down on edge-01")]
    public void GrafanaThatFiresWithoutHavingMeasured_SaysSo(string status, string reason, string summary) =>
        Readers.ReadOne("grafana", $$$"""{"alerts":[{"status":"{{{status}}}","labels":{"alertname":"Down"},"annotations":{"summary":"Web app is down on edge-01","grafana_state_reason":"{{{reason}}}"}}]}""")
            .Summary.ShouldBe(summary);

    [Fact]
    public void TwoParsersOfOneSource_FailAtStartUp() =>
        Should.Throw<InvalidOperationException>(() => new AlertReader([new Parser(), new Parser()])).Message.ShouldContain("'mine'");

    [Fact]
    public void AlertsAddedTwice_AreRegisteredOnce() =>
        new ServiceCollection().AddAlerts().AddAlerts().Count(service => service.ServiceType == typeof(IAlertParser)).ShouldBe(5);

    private sealed class Parser : IAlertParser
    {
        public string Source => "mine";

        public ParsedAlerts Parse(JsonElement body) => throw new NotSupportedException();
    }
}
