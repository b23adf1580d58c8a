using Runbooks.Model.Alerts;
using Runbooks.Model.Text;

namespace Runbooks.Web.Incidents;

/// <summary>An alert in our own words, as the API shows it: what looks like a secret in it is hidden.</summary>
public sealed record AlertView(
    string Source, string Name, string? Severity, string? Summary, IReadOnlyDictionary<string, string> Labels,
    IReadOnlyDictionary<string, string> Annotations, string Fingerprint, string? Link, string? Runbook, DateTimeOffset? StartsAt)
{
    public static AlertView Of(Alert alert) => new(
        alert.Source, Redactor.Redact(alert.Name), alert.Severity, Masked(alert.Summary), Masked(alert.Labels),
        Masked(alert.Annotations), alert.Fingerprint, Masked(Words.SafeLink(alert.Link)), alert.Runbook, alert.StartsAt);

    private static string? Masked(string? text) => text is null ? null : Redactor.Redact(text);

    /// <summary>A value is also hidden when its name says what it is.</summary>
    private static Dictionary<string, string> Masked(IReadOnlyDictionary<string, string> pairs) => pairs.ToDictionary(
        pair => pair.Key,
        pair => Redactor.Redact($"{pair.Key}={pair.Value}") is var shown && shown.StartsWith($"{pair.Key}=", StringComparison.Ordinal)
            ? shown[(pair.Key.Length + 1)..]
            : Redactor.Redact(pair.Value));
}
