using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;

namespace Runbooks.Integrations.Tickets;

/// <summary>Section <c>Tickets</c>.</summary>
public sealed class TicketsOptions : IValidatableObject
{
    public const string SectionName = "Tickets";

    /// <summary>The system of steps that name none; not needed when there is only one.</summary>
    public string? Default { get; set; }

    /// <summary>By the name that runbooks use.</summary>
    public IDictionary<string, TicketSystemOptions> Systems { get; } = new Dictionary<string, TicketSystemOptions>(StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. ConfiguredName.DefaultProblems(SectionName, "Systems", Default, Systems),
        .. Systems.SelectMany(system => system.Value.Problems($"{SectionName}:Systems:{system.Key}")),
    ];
}

/// <summary>One system in which tickets are opened.</summary>
public sealed class TicketSystemOptions
{
    /// <summary><c>ServiceNow</c>, <c>Jira</c> or <c>AzureDevOps</c>.</summary>
    public TicketKind Kind { get; set; }

    /// <summary>The root: <c>https://example.service-now.com</c>, <c>https://example.atlassian.net</c>, <c>https://dev.azure.com/example</c>.</summary>
    public string Url { get; set; } = "";

    /// <summary>Jira: the e-mail address that the API token belongs to. ServiceNow: the user; without one, the secret is an OAuth token. Azure DevOps needs none.</summary>
    public string? User { get; set; }

    /// <summary>ServiceNow: the password, or an OAuth token. Jira: an API token. Azure DevOps: a personal access token with <c>vso.work_write</c>.</summary>
    [Secret]
    public string? Secret { get; set; }

    /// <summary>Jira: the key of the project. Azure DevOps: its name. ServiceNow has none.</summary>
    public string? Project { get; set; }

    /// <summary>ServiceNow: the table, <c>incident</c> unless named. Jira: the type, <c>Task</c>. Azure DevOps: the type, <c>Issue</c>.</summary>
    public string? Type { get; set; }

    /// <summary>The state of a closed ticket. ServiceNow: <c>6</c>, resolved, unless named. Azure DevOps: <c>Closed</c>. Jira: the first transition to a status of the category done, or the one to the status of this name.</summary>
    public string? ClosedState { get; set; }

    /// <summary>ServiceNow: what goes with the closed state, as its list has it.</summary>
    public string CloseCode { get; set; } = "Solution provided";

    internal IEnumerable<ValidationResult> Problems(string setting)
    {
        foreach (var problem in HttpsUrl.Problems($"{setting}:Url", Url, "https://example.service-now.com, https://example.atlassian.net or https://dev.azure.com/example"))
        {
            yield return problem;
        }

        if (Kind != TicketKind.ServiceNow && string.IsNullOrWhiteSpace(Project))
        {
            yield return new($"{setting}:Project is missing: {Kind} opens tickets in a project.");
        }

        if (Kind == TicketKind.Jira && string.IsNullOrWhiteSpace(User))
        {
            yield return new($"{setting}:User is missing: Jira wants the e-mail address that the API token belongs to.");
        }

        if (string.IsNullOrEmpty(Secret))
        {
            yield return new($"{setting}:Secret is missing.");
        }
    }
}

public enum TicketKind { ServiceNow, Jira, AzureDevOps }
