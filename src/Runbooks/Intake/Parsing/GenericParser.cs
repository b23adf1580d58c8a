namespace Runbooks.Intake.Parsing;

/// <summary>This program's own small schema: see docs/alerts.md. One alert, a list of them, or <c>{"alerts": […]}</c>.</summary>
internal sealed class GenericParser : IAlertParser
{
    public string Source => AlertSource.Generic;

    public ParsedAlerts Parse(JsonElement body)
    {
        var post = new Payload(body);
        return post.IsArray ? AlertList.Read(post, "$", Read)
            : post["alerts"].IsArray ? AlertList.Read(post["alerts"], "$.alerts", Read)
            : NameOf(post["alerts"]) is not null ? AlertList.ReadSingle(post["alerts"], "$.alerts", Read)
            : AlertList.ReadSingle(post, "$", Read);
    }

    /// <summary>Where other schemas say whether the alert is over. Their words for that do not distinguish two alerts.</summary>
    private static readonly HashSet<string> s_otherStatus = new(StringComparer.OrdinalIgnoreCase)
    {
        "state", "type", "event", "monitorCondition", "severity",
    };

    private static readonly string[] s_statusLabels = ["status", "state", "severity"];

    private static readonly HashSet<string> s_read = new(StringComparer.OrdinalIgnoreCase)
    {
        "name", "alert", "status", "severity", "summary", "labels", "annotations", "fingerprint", "runbook", "link", "startsAt", "endsAt",
        "state", "monitorCondition",
    };

    /// <summary>They say which thing the alert is about. Other fields may change with each message about it.</summary>
    private static readonly HashSet<string> s_telling = new(StringComparer.OrdinalIgnoreCase)
    {
        "host", "hostname", "instance", "node", "server", "namespace", "pod", "service", "resource", "device", "disk", "tags",
    };

    private Alert? Read(Payload alert, string path, PostReport report)
    {
        // An alert of Azure Monitor in the form of its resource has a name as well.
        if (ForeignPost.FindEssentials(alert) is not null && ForeignPost.Report(alert, path, report))
        {
            return null;
        }

        var written = alert["runbook"].IsString ? alert["runbook"].Line(AlertLimits.Runbook) : null;
        if ((NameOf(alert) ?? written) is not { } name)
        {
            if (!ForeignPost.Report(alert, path, report))
            {
                report.Lose(WhyNameless(alert, path));
            }

            return null;
        }

        var runbook = NameRules.ReadId(written);
        if (written is not null && runbook is null)
        {
            report.Warn(new(
                $"{path}.runbook",
                alert["runbook"].Found,
                $"this is no id of a runbook, so the triggers decide; an id has {NameRules.IdFormat}"));
        }

        var labels = LabelSet.ForLabels().SetAll(alert["labels"]);
        var unread = LabelSet.Unread(alert["labels"], $"{path}.labels", report);
        var telling = labels.Values.Count > 0 ? labels.Values : ReadBeside(alert, path, report);

        if (alert["status"].IsMissing && StatusElsewhere(alert) is { } other)
        {
            report.Warn(new(
                $"{path}.status", "missing", $"the alert is taken as firing; if '{other}' tells that it is over, give it as status"));
        }

        return new()
        {
            Source = Source,
            Name = name,
            Status = AlertText.Status(alert["status"], $"{path}.status", report),
            UnknownStatus = AlertText.Unknown(alert["status"]),
            Fingerprint = alert["fingerprint"].Fingerprint() ?? AlertFingerprint.OfLabels(name, telling, unread),
            Severity = AlertText.Severity(alert["severity"], $"{path}.severity", report)
                ?? AlertText.Severity(alert["labels"].Pair("severity"), $"{path}.labels.severity", report),
            Summary = alert["summary"].Line(AlertLimits.Summary) ?? AlertText.Summary(alert["annotations"]),
            Labels = labels.Values,
            Annotations = LabelSet.ForAnnotations().SetAll(alert["annotations"]).Values,
            StartsAt = alert["startsAt"].Time($"{path}.startsAt", report),
            EndsAt = alert["endsAt"].Time($"{path}.endsAt", report),
            Link = alert["link"].Link(),
            Runbook = runbook,
        };
    }

    private static AlertError WhyNameless(Payload alert, string path)
    {
        if (alert["labels"]["alertname"].IsString)
        {
            return new(
                $"{path}.labels.alertname",
                "an alert of Alertmanager or Grafana",
                "let it post to /api/alerts/alertmanager or /api/alerts/grafana");
        }

        if (InsideOf(alert) is { } inside)
        {
            return new(
                $"{path}.{inside.Name}",
                inside.Value.Found,
                "this form takes an alert's fields at the top and no object here; "
                    + "a sender whose body cannot be changed needs a flow between");
        }

        return new($"{path}.name", alert["name"].Found, "give the alert's name as text");
    }

    private static string? StatusElsewhere(Payload alert) =>
        alert.Pairs()
            .Where(field => SaysNotFiring(field.Name, field.Value))
            .Select(field => field.Name)
            .FirstOrDefault()
        ?? s_statusLabels
            .Where(label => AlertText.SaysNotFiring(alert["labels"].Pair(label)))
            .Select(label => $"labels.{label}")
            .FirstOrDefault();

    /// <summary>An unread field may say it by its name: <c>"resolved": true</c>. A priority may be "normal" too.</summary>
    private static bool SaysNotFiring(string name, Payload value) =>
        (!s_read.Contains(name) || s_otherStatus.Contains(name))
        && !name.Equals("priority", StringComparison.OrdinalIgnoreCase)
        && !value.IsArray
        && (AlertText.SaysNotFiring(value) || AlertText.SaysNotFiring(name, value));

    /// <summary>Where a sender with a schema of its own may have put the whole alert.</summary>
    private static (string Name, Payload Value)? InsideOf(Payload alert)
    {
        return alert.Pairs()
            .Where(field => field.Value.HasObjects && !s_telling.Contains(field.Name) && MayBeAlert(field.Name))
            .Select(field => ((string, Payload)?)field)
            .FirstOrDefault();

        bool MayBeAlert(string name) => !s_read.Contains(name) || name.Equals("alert", StringComparison.OrdinalIgnoreCase);
    }

    private static string? NameOf(Payload alert) => alert["name"].Line(AlertLimits.Name) ?? alert["alert"].Line(AlertLimits.Name);

    /// <summary>Without labels the fields beside them are no labels, but alerts of two hosts are still two alerts.</summary>
    private static IReadOnlyDictionary<string, string> ReadBeside(Payload alert, string path, PostReport report)
    {
        var beside = alert.Pairs().Where(field => !s_read.Contains(field.Name) && !field.Value.IsMissing && !IsStatus(field)).ToList();
        var text = alert["labels"].Line(AlertLimits.LabelValue);
        if (text is not null)
        {
            report.Warn(new($"{path}.labels", alert["labels"].Found, "no label is read of this; give an object of names and values"));
        }
        else if (beside.Count > 0)
        {
            report.Warn(new(
                $"{path}.labels", alert["labels"].Found,
                $"{CountText.Names([.. beside.Select(field => $"'{field.Name}'")], 5)} {CountText.Are(beside.Count)} not read; "
                    + "put what says which thing it is about under labels, as names and values"));
        }

        var telling = LabelSet.ForLabels().Set("labels", text);
        foreach (var (name, value) in beside.Where(field => s_telling.Contains(field.Name)))
        {
            telling.Set(name, Which(name, value));
        }

        return telling.Values;

        bool IsStatus((string Name, Payload Value) field) =>
            s_otherStatus.Contains(field.Name) && AlertText.SaysNotFiring(field.Value);
    }

    /// <summary>A number may say how full a disk is, and an object may change with each message, except for its name or id.</summary>
    private static string? Which(string name, Payload value)
    {
        if (value.IsObject)
        {
            return value["name"].Line(AlertLimits.LabelValue) ?? value["id"].Line(AlertLimits.LabelValue);
        }

        if (value.HasObjects)
        {
            return value.Raw;
        }

        var isNumber = value.IsWhole && !name.Equals("disk", StringComparison.OrdinalIgnoreCase);
        return value.IsString || value.IsArray || isNumber ? value.Line(AlertLimits.LabelValue) : null;
    }
}
