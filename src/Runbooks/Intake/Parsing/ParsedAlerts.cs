using System.Text.Json.Serialization;
using Runbooks.Model.Alerts;

namespace Runbooks.Intake.Parsing;

/// <summary>
/// What a post holds. Alerts that were understood are kept even when others of the same post were not: senders do not
/// repeat a refused post, so refusing it whole would lose the good ones. Either list may be empty, never both.
/// </summary>
public sealed record ParsedAlerts(IReadOnlyList<Alert> Alerts, IReadOnlyList<AlertError> Errors)
{
    /// <summary>Nothing was understood: answer 400 with the errors.</summary>
    [JsonIgnore]
    public bool IsRefused => Alerts.Count == 0;

    public static ParsedAlerts Refused(AlertError error) => new([], [error]);
}
