using System.Text.Json;
using Runbooks.Model.Alerts;
using Runbooks.Model.Text;

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

        // Where nothing was measured, Grafana writes -1 for each value.
        if (alert["annotations"]["grafana_state_reason"].Line(AlertLimits.Name) is not ("Error" or "NoData"))
        {
            foreach (var (query, value) in alert["values"].Pairs())
            {
                annotations.Add($"value.{query}", value);
            }

            annotations.Add("valueString", alert["valueString"]);
        }

        // It fires because its query failed or found nothing, by the rule's own settings: the condition was not seen.
        var unseen = parsed.Status == AlertStatus.Firing ? alert["annotations"]["grafana_state_reason"].Line(AlertLimits.Name) : null;
        var summary = parsed.Summary ?? title;
        return parsed with
        {
            Annotations = annotations.Values,
            Link = alert["panelURL"].Link() ?? alert["dashboardURL"].Link() ?? parsed.Link,
            Summary = unseen is null ? summary : CleanText.Clean($"Grafana could not measure it ({unseen}): {summary ?? parsed.Name}", AlertLimits.Summary, oneLine: true),
        };
    }
}
