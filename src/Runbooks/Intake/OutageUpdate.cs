using Runbooks.Catalog.Matching;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;

namespace Runbooks.Intake;

/// <summary>
/// Azure Service Health tells how an outage goes on, and that it is over, in alerts that are Fired. What is no longer
/// active, and what Resource Health tells without a health status, is news for who is being asked, and no reason to ask: it opens an incident only where a trigger asks for it.
/// </summary>
internal static class OutageUpdate
{
    private static readonly string[] s_labels = ["stage", "status"];

    public static bool Is(Alert alert) =>
        (AlertIdentity.Stage(alert) is { } stage && AlertIdentity.EndsOutage(stage)) || AlertIdentity.IsHealthUpdate(alert);

    public static bool OpensNothing(Alert alert, Runbook runbook) =>
        Is(alert) && !runbook.Trigger.Any(trigger =>
            s_labels.Any(trigger.Labels.ContainsKey) && RunbookMatcher.Match(alert with { Runbook = null }, [runbook with { Trigger = [trigger] }]).Runbooks.Count > 0);
}
