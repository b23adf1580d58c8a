using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;

namespace Runbooks.Integrations.LiteLlm;

/// <summary>Section <c>LiteLlm</c>.</summary>
public sealed class LiteLlmOptions : IValidatableObject
{
    public const string SectionName = "LiteLlm";

    /// <summary>The proxy of steps that name none; not needed when there is only one.</summary>
    public string? Default { get; set; }

    /// <summary>By the name that runbooks use.</summary>
    public IDictionary<string, LiteLlmProxy> Proxies { get; } = new Dictionary<string, LiteLlmProxy>(StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. ConfiguredName.DefaultProblems(SectionName, "Proxies", Default, Proxies),
        .. Proxies.SelectMany(proxy => HttpsUrl.Problems($"{SectionName}:Proxies:{proxy.Key}:Url", proxy.Value.Url, "https://litellm.example.com")),
    ];
}

public sealed class LiteLlmProxy
{
    /// <summary>The proxy's root, without a path of its API.</summary>
    public string Url { get; set; } = "";

    /// <summary>A key of a proxy admin: changing a model takes no less.</summary>
    [Secret]
    public string? ApiKey { get; set; }
}
