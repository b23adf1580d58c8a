namespace Runbooks.Intake.Parsing;

/// <summary>Prometheus Alertmanager's webhook, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.</summary>
internal sealed class AlertmanagerParser : IAlertParser
{
    public string Source => AlertSource.Alertmanager;

    public ParsedAlerts Parse(JsonElement body) =>
        AlertGroup.Read(
            body,
            "point a webhook_config of Alertmanager here, without a payload of its own",
            (group, alert, path, report) => group.ToAlert(Source, alert, path, report));
}

/// <summary>The post that Alertmanager and Grafana share. Where an alert says nothing itself, the fields of the group count.</summary>
internal sealed class AlertGroup
{
    private readonly Payload _status;
    private readonly string? _name;
    private readonly string? _severity;
    private readonly string? _link;

    private AlertGroup(Payload post)
    {
        _status = post["status"];
        _name = post["commonLabels"]["alertname"].Line(AlertLimits.Name) ?? post["groupLabels"]["alertname"].Line(AlertLimits.Name);
        _severity = post["commonLabels"]["severity"].Line(AlertLimits.Severity);
        _link = post["externalURL"].Link();
    }

    public static ParsedAlerts Read(JsonElement body, string remedy, Func<AlertGroup, Payload, string, PostReport, Alert> toAlert)
    {
        var post = new Payload(body);
        if (!post.IsObject || !post["alerts"].IsArray)
        {
            var report = new PostReport();
            if (post.Items().FirstOrDefault() is var first
                && first["alerts"].IsMissing
                && ForeignPost.Report(first, post.IsArray ? "$[0]" : "$", report))
            {
                return report.With([]);
            }

            return ParsedAlerts.Refused(post.IsObject
                ? new("$.alerts", post["alerts"].Found, $"{remedy}; it posts a list of alerts")
                : new("$", post.Found, $"{remedy}; it posts an object"));
        }

        var group = new AlertGroup(post);
        var parsed = AlertList.Read(post["alerts"], "$.alerts", (alert, path, report) =>
        {
            if (group.NameOf(alert) is not null)
            {
                return toAlert(group, alert, path, report);
            }

            report.Lose(alert["labels"].IsObject
                ? new($"{path}.labels.alertname", alert["labels"]["alertname"].Found, "give every alert the label alertname")
                : new($"{path}.labels", alert["labels"].Found, "give every alert its labels, alertname among them"));
            return null;
        });
        return post["truncatedAlerts"].Line(20) is { } count && count != "0" ? WithLeftOut(parsed, count) : parsed;
    }

    /// <summary>Alerts that the sender left out of its post: nobody else reports them.</summary>
    private static ParsedAlerts WithLeftOut(ParsedAlerts parsed, string count) => parsed with
    {
        Errors =
        [
            .. parsed.Errors,
            new(
                "$.truncatedAlerts",
                $"{count} alerts left out by the sender",
                "raise max_alerts at the sender, or group its alerts more finely"),
        ],
        Lost = parsed.Lost + (int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var leftOut) ? leftOut : 1),
    };

    public Alert ToAlert(string source, Payload alert, string path, PostReport report)
    {
        var name = NameOf(alert)!;
        var labels = LabelSet.ForLabels().SetAll(alert["labels"]);
        var unread = LabelSet.Unread(alert["labels"], $"{path}.labels", report);
        var annotations = LabelSet.ForAnnotations().SetAll(alert["annotations"]);
        var (status, at) = alert["status"].Line(AlertLimits.Name) is null
            ? (_status, "$.status")
            : (alert["status"], $"{path}.status");
        return new()
        {
            Source = source,
            Name = name,
            Status = AlertText.Status(status, at, report),
            UnknownStatus = AlertText.Unknown(status),
            Fingerprint = alert["fingerprint"].Fingerprint() ?? AlertFingerprint.OfLabels(name, labels.Values, unread),
            Severity = AlertText.Severity(alert["labels"]["severity"], $"{path}.labels.severity", report) ?? _severity,
            Summary = AlertText.Summary(alert["annotations"]),
            Labels = labels.Values,
            Annotations = annotations.Values,
            StartsAt = alert["startsAt"].Time($"{path}.startsAt", report),
            EndsAt = alert["endsAt"].Time($"{path}.endsAt", report),
            Link = alert["generatorURL"].Link() ?? _link,
        };
    }

    private string? NameOf(Payload alert) => alert["labels"]["alertname"].Line(AlertLimits.Name) ?? _name;
}

/// <summary>
/// Alertmanager's post, with measured values and links:
/// https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/.
/// </summary>
internal sealed class GrafanaParser : IAlertParser
{
    public string Source => AlertSource.Grafana;

    public ParsedAlerts Parse(JsonElement body)
    {
        var title = new Payload(body)["title"].Line(AlertLimits.Summary);
        return AlertGroup.Read(
            body,
            "point a webhook contact point of Grafana Alerting here, with the custom payload left empty",
            (group, alert, path, report) => Enrich(group.ToAlert(Source, alert, path, report), alert, title));
    }

    private static Alert Enrich(Alert parsed, Payload alert, string? title)
    {
        var annotations = LabelSet.ForAnnotations().SetAll(alert["annotations"]);

        // Where nothing was measured, Grafana writes -1 for each value. A rule that keeps its last state says "NoData, KeepLast".
        var stateReason = alert["annotations"]["grafana_state_reason"].Line(AlertLimits.Name);
        if (stateReason?.Split(',')[0] is not ("Error" or "NoData"))
        {
            foreach (var (query, value) in alert["values"].Pairs())
            {
                annotations.Add($"value.{query}", value);
            }

            annotations.Add("valueString", alert["valueString"]);
        }

        // The rule fires because its query failed or found nothing, as its settings say.
        var unseen = parsed.Status == AlertStatus.Firing ? stateReason : null;
        var summary = parsed.Summary ?? title;
        return parsed with
        {
            Annotations = annotations.Values,
            Link = alert["panelURL"].Link() ?? alert["dashboardURL"].Link() ?? parsed.Link,
            Summary = unseen is null ? summary : Unmeasured(unseen, summary ?? parsed.Name),
        };
    }

    private static string Unmeasured(string stateReason, string summary) =>
        CleanText.Clean($"Grafana could not measure it ({stateReason}): {summary}", AlertLimits.Summary, oneLine: true);
}
