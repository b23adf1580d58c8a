namespace Runbooks.Intake.Parsing;

/// <summary>
/// Reads what one kind of sender posts. Never throws for what it is given: a field of an unexpected kind is read as well
/// as it can be, and what cannot be understood at all becomes an <see cref="AlertError"/>.
/// </summary>
public interface IAlertParser
{
    /// <summary>The sender's kind, as in <c>POST /api/alerts/{source}</c>.</summary>
    string Source { get; }

    ParsedAlerts Parse(JsonElement body);
}
