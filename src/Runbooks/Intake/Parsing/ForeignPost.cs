namespace Runbooks.Intake.Parsing;

/// <summary>Posts that came to the address of another sender: the remedy is the right address.</summary>
internal static class ForeignPost
{
    private const string ValidationEvent = "Microsoft.EventGrid.SubscriptionValidationEvent";

    /// <returns>False when nothing in it tells which sender's it is; otherwise it was reported.</returns>
    public static bool Report(Payload post, string path, PostReport report)
    {
        if (IsEvent(post))
        {
            var field = post["eventType"].IsMissing ? "type" : "eventType";
            report.Lose(
                new($"{path}.{field}", post[field].Found, "this is an event of Azure Event Grid; let the event subscription post to /api/alerts/event-grid"),
                IsValidation(post) ? 0 : 1);
            return true;
        }

        var other = post["data"]["essentials"].IsObject ? ("data.essentials", "this is an alert of Azure Monitor; let the action group post to /api/alerts/azure-monitor")
            : post["alerts"].Items().FirstOrDefault()["labels"].IsObject ? ("alerts", "this is a post of Alertmanager or Grafana; let it post to /api/alerts/alertmanager or /api/alerts/grafana")
            : ((string Field, string Remedy)?)null;
        if (other is not { } known)
        {
            return false;
        }

        report.Lose(new($"{path}.{known.Field}", known.Field == "alerts" ? post["alerts"].Found : "an object", known.Remedy));
        return true;
    }

    /// <summary>An event of Event Grid, in the schema of CloudEvents 1.0 or in Event Grid's own.</summary>
    public static bool IsEvent(Payload post) =>
        (!post["specversion"].IsMissing && !post["type"].IsMissing) || (!post["eventType"].IsMissing && !post["eventTime"].IsMissing);

    /// <summary>The event by which Event Grid asks whether it may post here; it carries no alert.</summary>
    public static bool IsValidation(Payload post) => ValidationEvent.Equals(post["eventType"].Line(AlertLimits.Name), StringComparison.OrdinalIgnoreCase);
}
