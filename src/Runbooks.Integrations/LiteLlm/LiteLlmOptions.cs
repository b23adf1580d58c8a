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

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Default is not null && !Proxies.ContainsKey(Default))
        {
            yield return new ValidationResult($"{SectionName}:Default names '{Default}', which is not among {SectionName}:Proxies.");
        }

        foreach (var (name, proxy) in Proxies)
        {
            if (!Uri.TryCreate(proxy.Url, UriKind.Absolute, out var url) || (url.Scheme != "https" && url is not { Scheme: "http", IsLoopback: true }))
            {
                yield return new ValidationResult($"{SectionName}:Proxies:{name}:Url must be an https URL such as https://litellm.example.com.");
            }
        }
    }
}

public sealed class LiteLlmProxy
{
    /// <summary>The proxy's root, without a path of its API.</summary>
    public string Url { get; set; } = "";

    /// <summary>A key of a proxy admin: changing a model takes no less.</summary>
    [Secret]
    public string? ApiKey { get; set; }
}
