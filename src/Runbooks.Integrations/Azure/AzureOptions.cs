using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Azure;

/// <summary>Section <c>Azure</c>.</summary>
public sealed class AzureOptions : IValidatableObject
{
    public const string SectionName = "Azure";

    /// <summary>The client id of a user-assigned managed identity; the system-assigned one, or a developer's own, when null.</summary>
    public string? ManagedIdentityClientId { get; set; }

    /// <summary>Use only the managed identity, and nothing that a developer's machine may hold.</summary>
    public bool ManagedIdentityOnly { get; set; }

    public string? TenantId { get; set; }

    /// <summary>Azure Resource Manager; another one in a sovereign cloud.</summary>
    [Required]
    public string ManagementEndpoint { get; set; } = "https://management.azure.com";

    /// <summary>The query API of Log Analytics.</summary>
    [Required]
    public string LogsEndpoint { get; set; } = "https://api.loganalytics.azure.com";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        from setting in new Dictionary<string, string> { [nameof(ManagementEndpoint)] = ManagementEndpoint, [nameof(LogsEndpoint)] = LogsEndpoint }
        where !Uri.TryCreate(setting.Value, UriKind.Absolute, out var url) || (url.Scheme != "https" && url is not { Scheme: "http", IsLoopback: true })
        select new ValidationResult($"{SectionName}:{setting.Key} must be an https URL.");
}
