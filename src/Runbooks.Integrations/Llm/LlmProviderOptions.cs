using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;

namespace Runbooks.Integrations.Llm;

/// <summary>Section <c>LlmProvider</c>.</summary>
public sealed class LlmProviderOptions : IValidatableObject
{
    public const string SectionName = "LlmProvider";

    /// <summary>The provider of checks that name none; not needed when there is only one.</summary>
    public string? Default { get; set; }

    /// <summary>By the name that runbooks use.</summary>
    public IDictionary<string, ProviderEndpoint> Providers { get; } = new Dictionary<string, ProviderEndpoint>(StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. ConfiguredName.DefaultProblems(SectionName, "Providers", Default, Providers),
        .. Providers.SelectMany(provider => HttpsUrl.Problems($"{SectionName}:Providers:{provider.Key}:Url", provider.Value.Url, "https://api.example.com/v1")),
    ];
}

public sealed class ProviderEndpoint
{
    /// <summary>The root that <c>/models</c> and <c>/chat/completions</c> are under.</summary>
    public string Url { get; set; } = "";

    [Secret]
    public string? ApiKey { get; set; }

    /// <summary>The header that carries the key: <c>Authorization</c> as a bearer token, or a bare one such as <c>api-key</c>.</summary>
    public string KeyHeader { get; set; } = "Authorization";

    /// <summary>Added to every request, for example <c>api-version=2024-10-21</c>.</summary>
    public string? Query { get; set; }

    /// <summary>The model that is asked for a completion.</summary>
    public string? Model { get; set; }

    /// <summary>The provider's own status page.</summary>
    public string? StatusPage { get; set; }
}
