using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;

namespace Runbooks.Integrations.Http;

/// <summary>One set-up for every HTTP client of the integrations: timeouts, careful retries, bounded answers, no URLs in logs.</summary>
public static class OutboundHttp
{
    private const int LargestAnswer = 4 * 1024 * 1024;

    /// <summary>A named client; only requests that change nothing are retried.</summary>
    public static IHttpClientBuilder AddOutboundClient(this IServiceCollection services, string name)
    {
        services.AddOutboundHttpOptions();
        var builder = services.AddHttpClient(name)
            .ConfigureHttpClient(client =>
            {
                // The resilience handler keeps the time; a second clock here would cut its retries short.
                client.Timeout = Timeout.InfiniteTimeSpan;
                client.MaxResponseContentBufferSize = LargestAnswer;
            })
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            })
            // Some systems carry their secret in the URL.
            .RemoveAllLoggers();
        builder.AddStandardResilienceHandler().Configure((options, provider) =>
            Configure(options, provider.GetRequiredService<IOptions<OutboundHttpOptions>>().Value));
        return builder;
    }

    public static IServiceCollection AddOutboundHttpOptions(this IServiceCollection services)
    {
        services.AddOptions<OutboundHttpOptions>()
            .BindConfiguration(OutboundHttpOptions.SectionName)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        return services;
    }

    private static void Configure(HttpStandardResilienceOptions resilience, OutboundHttpOptions options)
    {
        resilience.AttemptTimeout.Timeout = options.AttemptTimeout;
        resilience.TotalRequestTimeout.Timeout = options.TotalTimeout > options.AttemptTimeout ? options.TotalTimeout : options.AttemptTimeout;
        resilience.CircuitBreaker.SamplingDuration = Max(resilience.CircuitBreaker.SamplingDuration, 2 * options.AttemptTimeout);
        resilience.Retry.MaxRetryAttempts = Math.Max(1, options.Retries);
        resilience.Retry.Delay = options.RetryDelay;
        resilience.Retry.DisableForUnsafeHttpMethods();
        if (options.Retries == 0)
        {
            resilience.Retry.ShouldHandle = static _ => ValueTask.FromResult(false);
        }
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
