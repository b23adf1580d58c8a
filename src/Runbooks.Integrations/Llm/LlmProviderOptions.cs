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
        .. Providers.SelectMany(provider => HttpsUrl.Problems(
            $"{SectionName}:Providers:{provider.Key}:Url", provider.Value.Url, "https://api.example.com/v1", added: "/chat/completions")),
        .. Providers.Where(provider => provider.Value.TakesNoCompletion).Select(provider => new ValidationResult(
            $"{SectionName}:Providers:{provider.Key} is no address at which Azure OpenAI takes a completion. "
                + "End Url with /openai/v1, name the deployment as Model, and leave api-version out of Query.")),
    ];
}

public sealed class ProviderEndpoint
{
    private static readonly string[] s_azure = ["openai", "cognitiveservices", "services.ai"];

    /// <summary>The root of <c>/models</c> and <c>/chat/completions</c>; for Azure OpenAI <c>https://NAME.openai.azure.com/openai/v1</c>.</summary>
    public string Url { get; set; } = "";

    [Secret]
    public string? ApiKey { get; set; }

    /// <summary>The header that carries the key: <c>Authorization</c> as a bearer token, or a bare one such as <c>api-key</c>.</summary>
    public string KeyHeader { get; set; } = "Authorization";

    /// <summary>
    /// Added to every request, such as what a gateway routes by. Azure OpenAI refuses a dated <c>api-version</c> below
    /// <c>/openai/v1</c>.
    /// </summary>
    public string? Query { get; set; }

    /// <summary>The model that is asked for a completion. For Azure OpenAI the deployment's name, so each deployment is a provider of its own.</summary>
    public string? Model { get; set; }

    /// <summary>The provider's own status page.</summary>
    public string? StatusPage { get; set; }

    /// <summary>
    /// Whether Azure OpenAI lists its models at most at this address. It takes a completion below <c>/openai/v1</c>, or with a dated
    /// version below one deployment.
    /// </summary>
    /// <seealso href="https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle"/>
    internal bool TakesNoCompletion =>
        HttpsUrl.TryParse(Url, out var url) && IsAzure(url.Host) && url.AbsolutePath.TrimEnd('/').ToLowerInvariant() switch
    {
        "" or "/openai" => true,
        "/openai/v1" => Query?.Contains("api-version=2", StringComparison.OrdinalIgnoreCase) == true,
        _ => false,
    };

    private static bool IsAzure(string host) =>
        Array.Exists(s_azure, kind => host.Contains($".{kind}.azure.", StringComparison.OrdinalIgnoreCase));
}
