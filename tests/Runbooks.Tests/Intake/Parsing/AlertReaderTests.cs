using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Alerts;

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
    [InlineData("generic", """{"name":"A","severity":"ticket"}""", "$.severity")]
    [InlineData("generic", """{"name":"A","labels":{"severity":"2"} }""", "$.labels.severity")]
    [InlineData("alertmanager", """{"alerts":[{"labels":{"alertname":"A","severity":"ticket"}}]}""", "$.alerts[0].labels.severity")]
    [InlineData("grafana", """{"alerts":[{"labels":{"alertname":"A","severity":"ticket"}}]}""", "$.alerts[0].labels.severity")]
    public void SeverityThatNobodyKnows_IsTold(string source, string post, string path) =>
        Readers.Read(source, post).Warnings.ShouldHaveSingleItem().Path.ShouldBe(path);

    [Theory]
    [InlineData("Sev 1")]
    [InlineData("S-2")]
    [InlineData("Moderate")]
    public void KnownSeverityHoweverItIsWritten_NeedsNoWarning(string word) =>
        Readers.Read("generic", $$"""{"name":"A","severity":"{{word}}"}""").Warnings.ShouldBeEmpty();

    /// <summary>Typed into a form of another program: whoever meant a runbook is not sent to the triggers.</summary>
    [Theory]
    [InlineData("Disk-Full-By-Hand", "disk-full-by-hand")]
    [InlineData("disk_full_by_hand", "disk-full-by-hand")]
    [InlineData(" disk-full-by-hand ", "disk-full-by-hand")]
    [InlineData("disk full by hand", null)]
    [InlineData("C:/disk-full", null)]
    [InlineData("-", null)]
    public void RunbookWrittenInAnotherWay_IsNamedAllTheSame(string written, string? expected)
    {
        var parsed = Readers.Read("generic", $$"""{"name":"A","runbook":"{{written}}"}""");
        var azure = Readers.ReadOne("azure-monitor", $$$"""{"data":{"essentials":{"alertRule":"r"},"customProperties":{"runbook":"{{{written}}}"} } }""");

        (parsed.Alerts[0].Runbook, azure.Runbook, parsed.Warnings.Count).ShouldBe((expected, expected, expected is null ? 1 : 0));
    }

    [Theory]
    [InlineData("firing", "Error", "Grafana could not measure it (Error): Web app is down on edge-01")]
    [InlineData("firing", "", "Web app is down on edge-01")]
    [InlineData("resolved", "Error", "Web app is down on edge-01")]
    public void GrafanaThatFiresWithoutHavingMeasured_SaysSo(string status, string reason, string summary) =>
        Readers.ReadOne("grafana", $$$"""{"alerts":[{"status":"{{{status}}}","labels":{"alertname":"Down"},"annotations":{"summary":"Web app is down on edge-01","grafana_state_reason":"{{{reason}}}"}}]}""")
            .Summary.ShouldBe(summary);

    /// <summary>Checkly's {{ALERT_TYPE}} and Datadog's $ALERT_TRANSITION.</summary>
    [Theory]
    [InlineData("ALERT_FAILURE", AlertStatus.Firing)]
    [InlineData("ALERT_DEGRADED", AlertStatus.Firing)]
    [InlineData("ALERT_DEGRADED_REMAIN", AlertStatus.Firing)]
    [InlineData("ALERT_DEGRADED_FAILURE", AlertStatus.Firing)]
    [InlineData("ALERT_RECOVERY", AlertStatus.Resolved)]
    [InlineData("ALERT_DEGRADED_RECOVERY", AlertStatus.Resolved)]
    [InlineData("Re-Triggered", AlertStatus.Firing)]
    [InlineData("Renotify", AlertStatus.Firing)]
    [InlineData("Back to normal", AlertStatus.Resolved)]
    [InlineData("passing", AlertStatus.Resolved)]
    [InlineData("FIXED", AlertStatus.Resolved)]
    [InlineData("CREATED", AlertStatus.Firing)]
    [InlineData("incident.resolved", AlertStatus.Resolved)]
    [InlineData("incident.triggered", AlertStatus.Firing)]
    [InlineData("incident.acknowledged", AlertStatus.Acknowledged)]
    public void StatusInTheWordsOfItsSender_IsUnderstood(string word, AlertStatus status)
    {
        var parsed = Readers.Read("generic", $$"""{"name":"web","status":"{{word}}"}""");

        (parsed.Alerts[0].Status, parsed.Warnings.Count, parsed.Alerts[0].UnknownStatus).ShouldBe((status, 0, null));
    }

    /// <summary>Words that Sentry, Datadog, New Relic and PagerDuty have for the end, in fields of their own.</summary>
    [Theory]
    [InlineData("action", "resolved", true)]
    [InlineData("alert_transition", "Recovered", true)]
    [InlineData("current_state", "CLOSED", true)]
    [InlineData("event_type", "incident.resolved", true)]
    [InlineData("State", "ok", true)]
    [InlineData("action", "triggered", false)]
    [InlineData("priority", "normal", false)]
    [InlineData("summary", "ok", false)]
    [InlineData("fingerprint", "ok", false)]
    public void EndInAFieldThatIsNotRead_IsToldOf(string field, string word, bool told)
    {
        var parsed = Readers.Read("generic", $$$"""{"name":"A","labels":{"host":"a"},"{{{field}}}":"{{{word}}}"}""");

        parsed.Alerts[0].Status.ShouldBe(AlertStatus.Firing);
        parsed.Warnings.Select(warning => warning.ToString()).ShouldBe(told ? [$"$.status: missing; the alert is taken as firing; if '{field}' tells that it is over, give it as status"] : []);
    }

    /// <summary>Netdata Cloud writes clear into the severity.</summary>
    [Theory]
    [InlineData("\"severity\":\"clear\"", "severity")]
    [InlineData("\"severity\":\"OK\"", "severity")]
    [InlineData("\"resolved\":true", "resolved")]
    [InlineData("\"cleared\":\"True\"", "cleared")]
    [InlineData("\"firing\":false", "firing")]
    [InlineData("\"resolved\":false", null)]
    [InlineData("\"firing\":true", null)]
    [InlineData("\"labels\":{\"status\":\"resolved\"}", "labels.status")]
    [InlineData("\"labels\":[{\"name\":\"state\",\"value\":\"ok\"}]", "labels.state")]
    [InlineData("\"labels\":{\"status\":\"down\"}", null)]
    [InlineData("\"severity\":\"clear\",\"status\":\"firing\"", null)]
    public void EndInAnotherFieldOrAsAYes_IsToldOf(string field, string? named) =>
        Readers.Read("generic", $$"""{"name":"A",{{field}}}""").Warnings.Where(warning => warning.Path == "$.status").Select(warning => warning.Remedy)
            .ShouldBe(named is null ? [] : [$"the alert is taken as firing; if '{named}' tells that it is over, give it as status"]);

    [Theory]
    [InlineData("""{"event":"alert_state_change","alert":{"title":"t","alert":{"name":"Daily revenue"}}}""", "$.alert")]
    [InlineData("""{"action":"critical","data":{"metric_alert":{"title":"t"}}}""", "$.data")]
    [InlineData("""{"event":{"event_type":"incident.resolved"}}""", "$.event")]
    [InlineData("""{"version":"1.2","incident":{"condition_name":"CPU"}}""", "$.incident")]
    [InlineData("""{"routing_key":"k","payload":{"summary":"s"},"labels":{"a":"b"}}""", "$.payload")]
    [InlineData("""{"search_name":"s","result":{"host":"a"}}""", "$.result")]
    public void AlertInsideOfAField_IsRefusedWithWhatToDo(string body, string place) =>
        Readers.Read("generic", body).Errors.ShouldHaveSingleItem().ToString().ShouldBe(
            $"{place}: an object; this form takes an alert's fields at the top and no object here; a sender whose body cannot be changed needs a flow between");

    [Theory]
    [InlineData("\"env:prod,host:a\"")]
    [InlineData("[\"env:prod\",\"host:a\"]")]
    public void GenericLabelsThatAreNoPairs_AreToldOf(string labels) =>
        Readers.Read("generic", $$"""{"alerts":[{"name":"A","labels":{{labels}}}]}""").Warnings.ShouldHaveSingleItem().ToString().ShouldStartWith("$.alerts[0].labels: ");

    [Theory]
    [InlineData("NoData", false)]
    [InlineData("NoData, KeepLast", false)]
    [InlineData("Error, KeepLast", false)]
    [InlineData("Error", false)]
    [InlineData("Paused", true)]
    [InlineData("", true)]
    public void GrafanaValuesOfWhatItCouldNotMeasure_AreLeftOut(string reason, bool kept) =>
        Readers.ReadOne("grafana", $$$"""{"alerts":[{"status":"firing","labels":{"alertname":"Down"},"annotations":{"grafana_state_reason":"{{{reason}}}"},"values":{"B":-1},"valueString":"[ var='B' value=-1 ]"}]}""")
            .Annotations.Keys.Count(name => name.StartsWith("value", StringComparison.Ordinal)).ShouldBe(kept ? 2 : 0);

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
