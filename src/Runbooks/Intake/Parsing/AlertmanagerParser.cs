using System.Text.Json;
using Runbooks.Model.Alerts;

namespace Runbooks.Intake.Parsing;

/// <summary>Prometheus Alertmanager's webhook, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.</summary>
internal sealed class AlertmanagerParser : IAlertParser
{
    public string Source => "alertmanager";

    public ParsedAlerts Parse(JsonElement body) =>
        AlertGroup.Read(body, "point a webhook_config of Alertmanager here", (group, alert) => group.ToAlert(Source, alert));
}

/// <summary>
/// The post that Alertmanager and Grafana share: what is said of the whole group, and a list of alerts, some firing and
/// some resolved. The group speaks where an alert says nothing itself.
/// </summary>
internal sealed class AlertGroup
{
    private readonly string? _status;
    private readonly string? _name;
    private readonly string? _severity;
    private readonly string? _link;

    private AlertGroup(Payload post)
    {
        _status = post["status"].Line(AlertLimits.Name);
        _name = post["commonLabels"]["alertname"].Line(AlertLimits.Name) ?? post["groupLabels"]["alertname"].Line(AlertLimits.Name);
        _severity = post["commonLabels"]["severity"].Line(AlertLimits.Severity);
        _link = post["externalURL"].Link();
    }

    public static ParsedAlerts Read(JsonElement body, string remedy, Func<AlertGroup, Payload, Alert> toAlert)
    {
        var post = new Payload(body);
        if (!post.IsObject || !post["alerts"].IsArray)
        {
            return ParsedAlerts.Refused(post.IsObject
                ? new("$.alerts", post["alerts"].Found, $"{remedy}; it posts a list of alerts")
                : new("$", post.Found, $"{remedy}; it posts an object"));
        }

        var group = new AlertGroup(post);
        var parsed = AlertList.Read(post["alerts"], "$.alerts", (alert, path, report) =>
        {
            if (group.NameOf(alert) is not null)
            {
                return toAlert(group, alert);
            }

            report(alert["labels"].IsObject
                ? new($"{path}.labels.alertname", alert["labels"]["alertname"].Found, "give every alert the label alertname")
                : new($"{path}.labels", alert["labels"].Found, "give every alert its labels, alertname among them"));
            return null;
        });
        return LeftOut(post) is { } leftOut ? parsed with { Errors = [.. parsed.Errors, leftOut] } : parsed;
    }

    /// <summary>Alerts that the sender itself cut off its post: nobody else will tell.</summary>
    private static AlertError? LeftOut(Payload post) =>
        post["truncatedAlerts"].Line(20) is { } count && count != "0"
            ? new("$.truncatedAlerts", $"{count} alerts left out by the sender", "raise max_alerts at the sender, or group its alerts more finely")
            : null;

    public Alert ToAlert(string source, Payload alert)
    {
        var name = NameOf(alert)!;
        var labels = LabelSet.ForLabels().SetAll(alert["labels"]);
        var annotations = LabelSet.ForAnnotations().SetAll(alert["annotations"]);
        return new()
        {
            Source = source,
            Name = name,
            Status = AlertText.Status(alert["status"].Line(AlertLimits.Name) ?? _status),
            Fingerprint = alert["fingerprint"].Fingerprint() ?? AlertFingerprint.OfLabels(name, labels.Values),
            Severity = alert["labels"]["severity"].Line(AlertLimits.Severity) ?? _severity,
            Summary = AlertText.Summary(alert["annotations"]),
            Labels = labels.Values,
            Annotations = annotations.Values,
            StartsAt = alert["startsAt"].Time(),
            EndsAt = alert["endsAt"].Time(),
            Link = alert["generatorURL"].Link() ?? _link,
        };
    }

    private string? NameOf(Payload alert) => alert["labels"]["alertname"].Line(AlertLimits.Name) ?? _name;
}
