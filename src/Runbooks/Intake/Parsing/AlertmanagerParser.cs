using System.Text.Json;

namespace Runbooks.Intake.Parsing;

/// <summary>Prometheus Alertmanager's webhook, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.</summary>
internal sealed class AlertmanagerParser : IAlertParser
{
    public string Source => "alertmanager";

    public ParsedAlerts Parse(JsonElement body) =>
        AlertGroup.Read(body, "point a webhook_config of Alertmanager here", (group, alert) => group.ToAlert(Source, alert));
}
