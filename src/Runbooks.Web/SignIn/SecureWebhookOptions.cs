using System.ComponentModel.DataAnnotations;

namespace Runbooks.Web.SignIn;

/// <summary>Alerts that come with an Entra token: Azure Monitor's secure webhook.</summary>
public sealed class SecureWebhookOptions : IValidatableObject
{
    public const string SectionName = "Intake";

    /// <summary>Azure Monitor's own application, "AzNS AAD Webhook", the same in every tenant.</summary>
    public const string AzureMonitor = "461e8683-5575-4561-ac7f-899cc907d62a";

    /// <summary>The tenant that must have issued the token. Without it this way in is closed.</summary>
    public string? TenantId { get; set; }

    /// <summary>The audience that the token must carry: the identifier URI of the webhook's application.</summary>
    public string? Audience { get; set; }

    /// <summary>The application that must be calling.</summary>
    [Required]
    public string Caller { get; set; } = AzureMonitor;

    /// <summary>The application role that it must hold.</summary>
    [Required]
    public string Role { get; set; } = "ActionGroupsSecureWebhook";

    /// <summary>Where tenants are found; another one in sovereign clouds.</summary>
    [Required]
    public Uri Authority { get; set; } = new("https://login.microsoftonline.com");

    public bool IsOn => TenantId is { Length: > 0 } && Audience is { Length: > 0 };

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!IsOn && (TenantId is { Length: > 0 } || Audience is { Length: > 0 }))
        {
            yield return new ValidationResult($"{SectionName} needs both TenantId and Audience, or neither.", [nameof(TenantId), nameof(Audience)]);
        }

        if (TenantId is { Length: > 0 } && !Guid.TryParse(TenantId, out _))
        {
            yield return new ValidationResult($"{SectionName}:TenantId is not a tenant's id.", [nameof(TenantId)]);
        }
    }
}
