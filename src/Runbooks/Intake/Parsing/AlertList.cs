using System.Globalization;
using Runbooks.Model.Alerts;

namespace Runbooks.Intake.Parsing;

/// <summary>Reads a list of alerts one by one, so that one that is not understood does not cost the others.</summary>
internal static class AlertList
{
    public delegate Alert? ReadOne(Payload alert, string path, Action<AlertError> report);

    /// <param name="path">Where the list is, for errors.</param>
    public static ParsedAlerts Read(Payload list, string path, ReadOne readOne)
    {
        if (list.Element.GetArrayLength() is var count && count is 0 or > AlertLimits.Alerts)
        {
            return ParsedAlerts.Refused(count == 0
                ? new(path, list.Found, "send at least one alert")
                : new(path, $"{count} alerts", $"send at most {AlertLimits.Alerts} at once (Alertmanager: max_alerts)"));
        }

        var alerts = new List<Alert>();
        var errors = new List<AlertError>();
        var index = 0;
        foreach (var item in list.Items())
        {
            ReadInto(alerts, errors, item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]"), readOne);
        }

        return new(alerts, errors);
    }

    public static ParsedAlerts ReadSingle(Payload alert, string path, ReadOne readOne)
    {
        var alerts = new List<Alert>();
        var errors = new List<AlertError>();
        ReadInto(alerts, errors, alert, path, readOne);
        return new(alerts, errors);
    }

    private static void ReadInto(List<Alert> alerts, List<AlertError> errors, Payload item, string path, ReadOne readOne)
    {
        void Report(AlertError error)
        {
            if (errors.Count < AlertLimits.Errors)
            {
                errors.Add(error);
            }
        }

        if (!item.IsObject)
        {
            Report(new(path, item.Found, "each alert is an object"));
        }
        else if (readOne(item, path, Report) is { } alert)
        {
            alerts.Add(alert);
        }
    }
}
