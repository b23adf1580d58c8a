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

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Default is not null && !Systems.ContainsKey(Default))
        {
            yield return new ValidationResult($"{SectionName}:Default names '{Default}', which is not among {SectionName}:Systems.");
        }

        foreach (var (name, system) in Systems)
        {
            if (!Uri.TryCreate(system.Url, UriKind.Absolute, out var url) || (url.Scheme != "https" && url is not { Scheme: "http", IsLoopback: true }))
            {
                yield return new ValidationResult($"{SectionName}:Systems:{name}:Url must be an https URL such as https://example.service-now.com, https://example.atlassian.net or https://dev.azure.com/example.");
            }

            if (system.Kind != TicketKind.ServiceNow && string.IsNullOrWhiteSpace(system.Project))
            {
                yield return new ValidationResult($"{SectionName}:Systems:{name}:Project is missing: {system.Kind} opens tickets in a project.");
            }

            if (system.Kind == TicketKind.Jira && string.IsNullOrWhiteSpace(system.User))
            {
                yield return new ValidationResult($"{SectionName}:Systems:{name}:User is missing: Jira wants the e-mail address that the API token belongs to.");
            }

            if (string.IsNullOrEmpty(system.Secret))
            {
                yield return new ValidationResult($"{SectionName}:Systems:{name}:Secret is missing.");
            }
        }
    }
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
}

public enum TicketKind { ServiceNow, Jira, AzureDevOps }
