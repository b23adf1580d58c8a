namespace Runbooks.Model.Definition;

/// <summary>One way for a runbook to start. Every given part has to match.</summary>
/// <param name="Source">The sender's kind, exact; null for any.</param>
/// <param name="Alert">Exact name, or a glob with <c>*</c> and <c>?</c>.</param>
/// <param name="Severity">Any of these, ignoring case; empty for every severity.</param>
/// <param name="Labels">Each label's value, exact or a glob.</param>
public sealed record Trigger(
    string? Source,
    string Alert,
    IReadOnlyList<string> Severity,
    IReadOnlyDictionary<string, string> Labels);
