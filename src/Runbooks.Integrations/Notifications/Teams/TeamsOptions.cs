namespace Runbooks.Integrations.Notifications.Teams;

public sealed class TeamsOptions
{
    public const string SectionName = "Teams";

    /// <summary>A Workflows URL that contacts may refer to as <c>${Teams:WorkflowUrl}</c>; it carries a signature, so it is a secret.</summary>
    public string? WorkflowUrl { get; set; }
}
