namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>Bodies of Azure that are not the common alert schema, each with what can be done about it.</summary>
internal static class OtherSchema
{
    private const string SwitchOn =
        "switch on the common alert schema for this receiver of the action group (portal: Monitor, Alerts, Action groups, the receiver, Enable the common alert schema)";

    public static AlertError Explain(Payload post, string path)
    {
        var schema = post["schemaId"];
        return !schema.IsMissing && schema.Line(AlertLimits.Name) != "azureMonitorCommonAlertSchema" ? new($"{path}.schemaId", schema.Found, SwitchOn)

            // These two are sent past action groups, so there is no schema to be switched on.
            : !post["operation"].IsMissing && post["context"].IsObject
                ? new($"{path}.operation", post["operation"].Found, "this is a notification of an autoscale setting, which knows no common alert schema; write an activity log alert on its scale actions, with an action group that posts here")
            : !post["status"].IsMissing && post["context"].IsObject
                ? new($"{path}.context", post["context"].Found, "this is a classic alert rule, which knows no common alert schema; replace it by a metric or activity log alert rule with an action group that posts here")
            : !post["data"].IsObject ? new($"{path}.data", post["data"].Found, SwitchOn)
            : new($"{path}.data.essentials", post["data"]["essentials"].Found, SwitchOn);
    }
}
