using System.Text.Json;
using Runbooks.Model.Alerts;

namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// Azure Monitor's common alert schema, from every monitoring service:
/// https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema.
/// </summary>
internal sealed class AzureMonitorParser : IAlertParser
{
    public string Source => "azure-monitor";

    public ParsedAlerts Parse(JsonElement body)
    {
        var post = new Payload(body);
        return post.IsArray ? AlertList.Read(post, "$", Read) : AlertList.ReadSingle(post, "$", Read);
    }

    private Alert? Read(Payload post, string path, Action<AlertError> report)
    {
        // Logic Apps often pass on the inside of "data" alone.
        var wrapped = !post["essentials"].IsObject;
        var data = wrapped ? post["data"] : post;
        if (!data["essentials"].IsObject)
        {
            report(NotCommonSchema(post, path));
            return null;
        }

        var facts = Gather(data);
        var essentials = new Essentials(data["essentials"], facts);
        if (essentials.Name is { } name)
        {
            return ToAlert(name, essentials, facts);
        }

        var rule = data["essentials"]["alertRule"];
        report(new($"{path}{(wrapped ? ".data" : "")}.essentials.alertRule", rule.Found, "give the name of the alert rule"));
        return null;
    }

    private static AzureFacts Gather(Payload data)
    {
        var facts = new AzureFacts();
        var context = data["alertContext"];
        ConditionContext.Read(context, facts);
        LogV1Context.Read(context, facts);
        CustomProperties.Read(data, context, facts);
        PrometheusContext.Read(context, facts);
        ConditionContext.Derive(context, facts);
        EventContext.Read(context, facts);
        SmartDetectorContext.Read(context, facts);
        CostContext.Read(context, facts);
        Derived.Read(data["essentials"], facts);
        return facts;
    }

    private Alert ToAlert(string name, Essentials essentials, AzureFacts facts) => new()
    {
        Source = Source,
        Name = name,
        Status = essentials.Status,
        Fingerprint = essentials.Fingerprint ?? AlertFingerprint.OfLabels(name, facts.Labels.Values),
        Severity = essentials.Severity,
        Summary = essentials.Summary,
        Labels = facts.Labels.Values,
        Annotations = facts.Annotations.Values,
        StartsAt = essentials.StartsAt,
        EndsAt = essentials.EndsAt,
        Link = essentials.Link,
        Runbook = facts.Runbook,
        Resources = essentials.Resources,
    };

    private static AlertError NotCommonSchema(Payload post, string path)
    {
        const string Remedy = "switch on the common alert schema for this receiver of the action group";
        var schema = post["schemaId"];
        return !schema.IsMissing && schema.Line(AlertLimits.Name) != "azureMonitorCommonAlertSchema" ? new($"{path}.schemaId", schema.Found, Remedy)
            : !post["data"].IsObject ? new($"{path}.data", post["data"].Found, Remedy)
            : new($"{path}.data.essentials", post["data"]["essentials"].Found, Remedy);
    }
}
