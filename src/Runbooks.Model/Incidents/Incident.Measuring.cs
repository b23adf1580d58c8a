using Runbooks.Model.Alerts;

namespace Runbooks.Model.Incidents;

/// <summary>
/// Grafana cannot measure a rule whose alerts fire here. It says so in an alert of its own (DatasourceError, DatasourceNoData) and lets those
/// of the rule run out after a while, as resolved and with the words of their last firing: that end was seen by nobody
/// (grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/nodata-and-error-states).
/// </summary>
public sealed partial record Incident
{
    /// <summary>Whether an alert that fires here is of the rule that Grafana tells of.</summary>
    public bool KnowsRuleOf(Alert told) => Alerts.Any(known => IsOfRule(known, told));

    /// <summary>Grafana cannot measure the rule, or can again.</summary>
    public Incident TellMeasuring(Alert told, DateTimeOffset now)
    {
        if (!KnowsRuleOf(told))
        {
            return this;
        }

        var fails = told.Status == AlertStatus.Firing;
        var marked = this with
        {
            Alerts = [.. Alerts.Select(known => !IsOfRule(known, told) ? known
                : fails ? known with { Unmeasured = new(told.Name, told.Fingerprint) }
                : known.Unmeasured?.Fingerprint == told.Fingerprint ? known with { Unmeasured = null } : known)],
            UpdatedAt = now,
        };
        var rule = GrafanaRule.NameOf(told);
        var key = $"measuring:{rule}";
        return fails
            ? marked.AddNews(key, told.Source, $"Grafana cannot measure {rule} at the moment ({told.Name}). Until it can, an end of the alert is no all-clear.", now)
            : marked.Alerts.Any(known => IsOfRule(known, told) && known.Unmeasured is not null) ? marked
            : marked.DropNews(key).Tell(
                now, told.Source,
                Alerts.Any(known => IsOfRule(known, told) && known.EndedBecause == told.Name)
                    ? $"Grafana can measure {rule} again. It ended the alert while it could not, and says nothing more of it: look whether it is over."
                    : $"Grafana can measure {rule} again.");
    }

    private bool IsOfRule(AttachedAlert known, Alert told) =>
        !known.Resolved && known.Source == told.Source && known.Name == GrafanaRule.NameOf(told) && (WholeReportOf(known) is not { } report || GrafanaRule.MayBe(report, told));
}

/// <summary>The alert by which Grafana says that it cannot measure.</summary>
/// <param name="Name">Grafana's name for it, such as <c>DatasourceError</c>.</param>
public sealed record Unmeasured(string Name, string Fingerprint);
