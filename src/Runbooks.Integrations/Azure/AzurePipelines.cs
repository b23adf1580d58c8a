using System.Collections.Concurrent;
using Azure.Core;
using Azure.Core.Pipeline;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Http;

namespace Runbooks.Integrations.Azure;

/// <summary>One authenticated pipeline for each kind of Azure endpoint.</summary>
internal sealed class AzurePipelines(TokenCredential credential, IOptions<OutboundHttpOptions> http)
{
    public const string ManagementScope = "https://management.azure.com/.default";
    private readonly ConcurrentDictionary<(string Scope, bool Plain), HttpPipeline> _pipelines = new();

    /// <param name="scope">The token's scope, for example <see cref="ManagementScope"/>.</param>
    public AzureCaller To(Uri endpoint, string scope)
    {
        // No token ever leaves over plain http. On loopback that is the practice range, which asks for none; anywhere
        // else the policy for bearer tokens refuses.
        var plain = endpoint is { Scheme: "http", IsLoopback: true };
        return new AzureCaller(_pipelines.GetOrAdd((scope, plain), key => Build(key.Scope, key.Plain)), endpoint);
    }

    private HttpPipeline Build(string scope, bool plain)
    {
        var options = new CallOptions { RetryPolicy = new CarefulRetryPolicy(http.Value.Retries, http.Value.RetryDelay) };
        options.Retry.NetworkTimeout = http.Value.AttemptTimeout;
        // Request and response bodies can hold secrets.
        options.Diagnostics.IsLoggingContentEnabled = false;
        return plain
            ? HttpPipelineBuilder.Build(options)
            : HttpPipelineBuilder.Build(options, new BearerTokenAuthenticationPolicy(credential, scope));
    }

    private sealed class CallOptions : ClientOptions;
}
