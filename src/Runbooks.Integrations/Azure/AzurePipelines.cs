using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.ResourceManager;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Http;

namespace Runbooks.Integrations.Azure;

/// <summary>One authenticated pipeline for each kind of Azure endpoint.</summary>
/// <param name="configure">Lets tests trust a certificate of their own.</param>
internal sealed class AzurePipelines(TokenCredential credential, IOptions<OutboundHttpOptions> http, Action<ClientOptions>? configure = null, TimeProvider? time = null)
{
    private readonly OutageBackoff _backoff = new(time ?? TimeProvider.System);
    private readonly ConcurrentDictionary<(Uri Endpoint, string Scope), HttpPipeline> _pipelines = new();

    /// <summary>A data plane.</summary>
    /// <param name="scope">The token's scope, for example <c>https://appconfig.azure.com/.default</c>.</param>
    public AzureClient To(Uri endpoint, string scope) => new(
        _pipelines.GetOrAdd((Origin(endpoint), scope), key => IsPractice(endpoint)
            ? HttpPipelineBuilder.Build(Careful(new CallOptions()))
            : HttpPipelineBuilder.Build(Careful(new CallOptions()), new BearerTokenAuthenticationPolicy(credential, key.Scope))),
        endpoint);

    /// <summary>Azure Resource Manager, through the pipeline of its SDK: it also answers challenges of conditional access.</summary>
    public AzureClient ToManagement(Uri endpoint) => new(
        _pipelines.GetOrAdd((Origin(endpoint), "management"), _ => IsPractice(endpoint)
            ? HttpPipelineBuilder.Build(Careful(new CallOptions()))
            : ManagementPipeline.Of(credential, Careful(new ArmClientOptions { Environment = new ArmEnvironment(endpoint, endpoint.ToString().TrimEnd('/')) }))),
        endpoint);

    // No token ever leaves over plain http. On loopback that is the sandbox, which asks for none; anywhere else
    // the policy for bearer tokens refuses.
    private static bool IsPractice(Uri endpoint) => endpoint is { Scheme: "http", IsLoopback: true };

    private static Uri Origin(Uri endpoint) => new(endpoint.GetLeftPart(UriPartial.Authority));

    private T Careful<T>(T options)
        where T : ClientOptions
    {
        options.RetryPolicy = new IdempotentRetryPolicy(http.Value.Retries, http.Value.RetryDelay);
        options.Retry.NetworkTimeout = http.Value.AttemptTimeout;
        options.AddPolicy(_backoff, HttpPipelinePosition.PerCall);

        // Request and response bodies can hold secrets.
        options.Diagnostics.IsLoggingContentEnabled = false;
        configure?.Invoke(options);
        return options;
    }

    private sealed class CallOptions : ClientOptions;
}

/// <summary>
/// Lends the pipeline of <see cref="ArmClient"/> to requests that the SDK has no typed method for: POST actions, etags,
/// resource types whose packages are not taken in.
/// </summary>
internal sealed class ManagementPipeline : ArmResource
{
    private ManagementPipeline(ArmClient client)
        : base(client, ResourceIdentifier.Root)
    {
    }

    public static HttpPipeline Of(TokenCredential credential, ArmClientOptions options) =>
        new ManagementPipeline(new ArmClient(credential, default, options)).Pipeline;
}

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
        where !HttpsUrl.TryParse(setting.Value, out _)
        select new ValidationResult($"{SectionName}:{setting.Key} must be an https URL.");
}
