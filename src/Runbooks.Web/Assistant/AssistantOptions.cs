namespace Runbooks.Web.Assistant;

/// <summary>Section <c>Mcp</c>: whether assistants may ask.</summary>
public sealed class AssistantOptions
{
    public const string SectionName = "Mcp";

    /// <summary>
    /// Opens <c>/mcp</c> to assistants that hold a key: with the role <c>viewer</c> they read, with <c>assistant</c> they also ask checks
    /// and propose to start a runbook. They never decide.
    /// </summary>
    public bool Enabled { get; set; }
}
