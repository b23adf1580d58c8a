using System.Collections.Concurrent;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.ResourceManager;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Http;

namespace Runbooks.Integrations.Azure;

/// <summary>One authenticated pipeline for each kind of Azure endpoint.</summary>
/// <param name="configure">Lets tests trust a certificate of their own.</param>
internal sealed class AzurePipelines(TokenCredential credential, IOptions<OutboundHttpOptions> http, Action<ClientOptions>? configure = null)
{
    private readonly ConcurrentDictionary<(Uri Endpoint, string Scope), HttpPipeline> _pipelines = new();

    /// <summary>A data plane.</summary>
    /// <param name="scope">The token's scope, for example <c>https://appconfig.azure.com/.default</c>.</param>
    public AzureCaller To(Uri endpoint, string scope) => new(
        _pipelines.GetOrAdd((Origin(endpoint), scope), key => IsPractice(endpoint)
            ? HttpPipelineBuilder.Build(Careful(new CallOptions()))
            : HttpPipelineBuilder.Build(Careful(new CallOptions()), new BearerTokenAuthenticationPolicy(credential, key.Scope))),
        endpoint);

    /// <summary>Azure Resource Manager, through the pipeline of its SDK: it also answers challenges of conditional access.</summary>
    public AzureCaller ToManagement(Uri endpoint) => new(
        _pipelines.GetOrAdd((Origin(endpoint), "management"), _ => IsPractice(endpoint)
            ? HttpPipelineBuilder.Build(Careful(new CallOptions()))
            : ManagementPipeline.Of(credential, Careful(new ArmClientOptions { Environment = new ArmEnvironment(endpoint, endpoint.ToString().TrimEnd('/')) }))),
        endpoint);

    // No token ever leaves over plain http. On loopback that is the practice range, which asks for none; anywhere else
    // the policy for bearer tokens refuses.
    private static bool IsPractice(Uri endpoint) => endpoint is { Scheme: "http", IsLoopback: true };

    private static Uri Origin(Uri endpoint) => new(endpoint.GetLeftPart(UriPartial.Authority));

    private T Careful<T>(T options)
        where T : ClientOptions
    {
        options.RetryPolicy = new CarefulRetryPolicy(http.Value.Retries, http.Value.RetryDelay);
        options.Retry.NetworkTimeout = http.Value.AttemptTimeout;
        // Request and response bodies can hold secrets.
        options.Diagnostics.IsLoggingContentEnabled = false;
        configure?.Invoke(options);
        return options;
    }

    private sealed class CallOptions : ClientOptions;
}
