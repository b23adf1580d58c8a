namespace Runbooks.Integrations.Azure;

/// <summary>Section <c>Azure</c>.</summary>
public sealed class AzureOptions
{
    public const string Section = "Azure";

    /// <summary>The client id of a user-assigned managed identity; the system-assigned one, or a developer's own, when null.</summary>
    public string? ManagedIdentityClientId { get; set; }

    /// <summary>Use only the managed identity, and nothing that a developer's machine may hold.</summary>
    public bool ManagedIdentityOnly { get; set; }

    public string? TenantId { get; set; }
}
