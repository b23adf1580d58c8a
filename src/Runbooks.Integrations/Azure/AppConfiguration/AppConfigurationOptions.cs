using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Azure.AppConfiguration;

/// <summary>Section <c>AppConfiguration</c>.</summary>
public sealed class AppConfigurationOptions : IValidatableObject
{
    public const string SectionName = "AppConfiguration";

    /// <summary>The store of steps that name none; not needed when there is only one.</summary>
    public string? Default { get; set; }

    /// <summary>By the name that runbooks use.</summary>
    public IDictionary<string, AppConfigurationStore> Stores { get; } = new Dictionary<string, AppConfigurationStore>(StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. ConfiguredName.DefaultProblems(SectionName, "Stores", Default, Stores),
        .. Stores.SelectMany(store => HttpsUrl.Problems($"{SectionName}:Stores:{store.Key}:Endpoint", store.Value.Endpoint, "https://{store}.azconfig.io")),
    ];
}

public sealed class AppConfigurationStore
{
    /// <summary><c>https://{store}.azconfig.io</c></summary>
    public string Endpoint { get; set; } = "";
}
