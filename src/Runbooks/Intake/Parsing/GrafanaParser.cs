using System.Text.Json;
using Runbooks.Model.Alerts;

namespace Runbooks.Intake.Parsing;

/// <summary>
/// Grafana Alerting's webhook contact point: Alertmanager's post, and per alert the values that were measured and where it
/// is shown: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/.
/// </summary>
internal sealed class GrafanaParser : IAlertParser
{
    public string Source => "grafana";

    public ParsedAlerts Parse(JsonElement body)
    {
        var title = new Payload(body)["title"].Line(AlertLimits.Summary);
        return AlertGroup.Read(body, "point a webhook contact point of Grafana Alerting here", (group, alert, path, report) => Enrich(group.ToAlert(Source, alert, path, report), alert, title));
    }

    private static Alert Enrich(Alert parsed, Payload alert, string? title)
    {
        var annotations = LabelSet.ForAnnotations().SetAll(alert["annotations"]);
        foreach (var (query, value) in alert["values"].Pairs())
        {
            annotations.Add($"value.{query}", value);
        }

        annotations.Add("valueString", alert["valueString"]);
        return parsed with
        {
            Annotations = annotations.Values,
            Link = alert["panelURL"].Link() ?? alert["dashboardURL"].Link() ?? parsed.Link,
            Summary = parsed.Summary ?? title,
        };
    }
}
