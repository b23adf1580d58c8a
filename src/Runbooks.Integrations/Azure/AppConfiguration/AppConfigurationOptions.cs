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

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Default is not null && !Stores.ContainsKey(Default))
        {
            yield return new ValidationResult($"{SectionName}:Default names '{Default}', which is not among {SectionName}:Stores.");
        }

        foreach (var (name, store) in Stores)
        {
            if (!Uri.TryCreate(store.Endpoint, UriKind.Absolute, out var url) || (url.Scheme != "https" && url is not { Scheme: "http", IsLoopback: true }))
            {
                yield return new ValidationResult($"{SectionName}:Stores:{name}:Endpoint must be an https URL such as https://{{store}}.azconfig.io.");
            }
        }
    }
}

public sealed class AppConfigurationStore
{
    /// <summary><c>https://{store}.azconfig.io</c></summary>
    public string Endpoint { get; set; } = "";
}
