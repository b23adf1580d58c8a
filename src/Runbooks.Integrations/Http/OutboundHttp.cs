using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Runbooks.Settings;

namespace Runbooks.Integrations.Http;

/// <summary>One set-up for every HTTP client of the integrations: timeouts, careful retries, bounded answers, no URLs in logs.</summary>
public static class OutboundHttp
{
    private const int LargestAnswer = 4 * 1024 * 1024;
    private const int MostHosts = 4_096;
    private const int MostAtOnce = 256;
    private const uint SharedBreakers = 256;

    /// <summary>A read is sent again after no longer wait than this: checks have 20 seconds, and tell what the other side asked for.</summary>
    internal static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(10);

    private static readonly ConcurrentDictionary<string, string> s_hosts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A named client; only requests that change nothing are retried.</summary>
    public static IHttpClientBuilder AddOutboundClient(this IServiceCollection services, string name)
    {
        // What came of a call stands in the finding, the step or the delivery. Polly would add the exception of each attempt.
        services.AddOutboundHttpOptions().AddLogging(logging => logging.AddFilter("Polly", LogLevel.None));
        var builder = services.AddHttpClient(name)
            .ConfigureHttpClient(client =>
            {
                // The resilience handler keeps the time; a second timeout here would cut its retries short.
                client.Timeout = Timeout.InfiniteTimeSpan;
                client.MaxResponseContentBufferSize = LargestAnswer;
            })
            .ConfigurePrimaryHttpMessageHandler(
                () => new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
            // Some systems carry their secret in the URL.
            .RemoveAllLoggers();
        builder.AddStandardResilienceHandler()
            .SelectPipelineBy(static _ => static request => BreakerOf(request.RequestUri))
            .Configure((options, provider) => Configure(options, provider.GetRequiredService<IOptions<OutboundHttpOptions>>().Value));
        return builder;
    }

    /// <summary>
    /// One breaker for each host, so that a dead one blocks no other. Names may come from alerts: hosts that come after very many
    /// others share breakers, so that their number stays bounded.
    /// </summary>
    internal static string BreakerOf(Uri? url)
    {
        var host = url?.Authority ?? "";
        return s_hosts.TryGetValue(host, out var own) ? own
            : s_hosts.Count < MostHosts ? s_hosts.GetOrAdd(host, host)
            : $"shared {(uint)StringComparer.OrdinalIgnoreCase.GetHashCode(host) % SharedBreakers}";
    }

    internal static async Task<(int Status, string Text)> ReadAsync(
        this HttpClient client, HttpRequestMessage request, Func<Exception, Exception> unreachable, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.SendAsync(request, cancellationToken);
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (Exception nobody) when (nobody is HttpRequestException or Polly.ExecutionRejectedException)
        {
            throw unreachable(nobody);
        }
    }

    public static IServiceCollection AddOutboundHttpOptions(this IServiceCollection services)
    {
        services.AddSettings<OutboundHttpOptions>(OutboundHttpOptions.SectionName);
        return services;
    }

    private static void Configure(HttpStandardResilienceOptions resilience, OutboundHttpOptions options)
    {
        // Calls beyond the limit for one host wait for as long as their caller does. Refused here, they would be told as the host's outage.
        resilience.RateLimiter.DefaultRateLimiterOptions.PermitLimit = MostAtOnce;
        resilience.RateLimiter.DefaultRateLimiterOptions.QueueLimit = int.MaxValue;
        resilience.AttemptTimeout.Timeout = options.AttemptTimeout;
        resilience.TotalRequestTimeout.Timeout = options.TotalTimeout > options.AttemptTimeout
            ? options.TotalTimeout
            : options.AttemptTimeout;
        resilience.CircuitBreaker.SamplingDuration = Max(resilience.CircuitBreaker.SamplingDuration, 2 * options.AttemptTimeout);
        resilience.Retry.MaxRetryAttempts = Math.Max(1, options.Retries);
        resilience.Retry.Delay = options.RetryDelay;
        resilience.Retry.LimitToReads();
        if (options.Retries == 0)
        {
            resilience.Retry.ShouldHandle = static _ => ValueTask.FromResult(false);
        }
    }

    /// <summary>Repeats nothing that may change something, and nothing whose answer asks to wait for long.</summary>
    internal static void LimitToReads(this HttpRetryStrategyOptions retry)
    {
        retry.DisableForUnsafeHttpMethods();
        var may = retry.ShouldHandle;
        retry.ShouldHandle = async attempt =>
            !(attempt.Outcome.Result is { } answer && JsonAnswer.RetryAfter(answer) > LongestRetryAfter) && await may(attempt);
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}

/// <summary>Why no answer came, without the URL: for some systems it is the secret.</summary>
internal static class HttpFailure
{
    public static string? InWords(string service, Exception failure) => failure switch
    {
        HttpRequestException
        {
            HttpRequestError: HttpRequestError.SecureConnectionError
                or HttpRequestError.ConfigurationLimitExceeded
                or HttpRequestError.ResponseEnded
                or HttpRequestError.InvalidResponse
        } => $"{service} {OwnNetwork.Describe(failure).TrimEnd('.')}.",
        HttpRequestException unreachable => $"{service} cannot be reached ({unreachable.HttpRequestError}).",
        Polly.ExecutionRejectedException or IOException => $"{service} did not answer ({failure.GetType().Name}).",
        _ => null,
    };
}

/// <summary>How patient calls to outside systems are. Section <c>OutboundHttp</c>.</summary>
public sealed class OutboundHttpOptions
{
    public const string SectionName = "OutboundHttp";

    /// <summary>
    /// The longest one attempt may take. A change or a log query of Azure has the time of its step or check, and at most 4 minutes.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The longest a call may take with all its attempts. It begins when the call is made: a host gets 256 at once, and the others wait
    /// for as long as their check or message does.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:15:00")]
    public TimeSpan TotalTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a request that only reads is sent again; nothing else ever is.</summary>
    [Range(0, 10)]
    public int Retries { get; set; } = 2;

    /// <summary>The pause before the first repetition; later ones double. A Retry-After of the server is honoured instead, of up to 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);
}

/// <summary>
/// Keeps requests whose URL comes from a runbook or an alert away from private addresses. It checks the address that is connected
/// to, not the one from an earlier look-up, so a name that changes its address does not get through.
/// </summary>
/// <param name="allowedHosts">Hosts that may be private: <c>name</c>, <c>name:port</c> or <c>*.domain</c>.</param>
/// <param name="setting">Where these are configured, for the text of a refusal: <c>HttpProbe:AllowedHosts</c>.</param>
/// <param name="lookUp">How names are resolved; as this machine does it, where left out.</param>
/// <param name="time">For how long a look-up may take before anybody is asked; this machine's, where left out.</param>
public sealed class EgressGuard(
    IReadOnlyCollection<string> allowedHosts, string setting, Func<string, Task<IPAddress[]>>? lookUp = null, TimeProvider? time = null)
{
    private static readonly TimeSpan s_longestLookUp = TimeSpan.FromSeconds(5);

    public SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        // A proxy would make the connection in our place, past the guard.
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        ConnectCallback = async (context, cancellationToken) =>
            await ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken),
    };

    public bool Allows(string host, int port) => allowedHosts.Any(allowed =>
        allowed.StartsWith("*.", StringComparison.Ordinal)
            ? host.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase)
            : Same(allowed, host) || Same(allowed, $"{host}:{port}"));

    private static bool Same(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    /// <exception cref="EgressRefusedException">The host has no address that may be called.</exception>
    public async Task<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        var addresses = await NameLookup.ResolveAsync(host, lookUp, cancellationToken);
        if (!Allows(host, port))
        {
            addresses = [.. addresses.Where(PublicAddress.Is)];
            if (addresses.Length == 0)
            {
                throw new EgressRefusedException(Refusal(host, port));
            }
        }

        return await NameLookup.ConnectAsync(addresses, port, cancellationToken);
    }

    /// <summary>Before anybody is asked; the connection itself is still checked when it is made.</summary>
    /// <returns>Why it would be refused as things are; null where it would not, or where the name cannot be resolved now, or not soon.</returns>
    internal async Task<string?> FindRefusalAsync(string host, int port, CancellationToken cancellationToken)
    {
        if (Allows(host, port))
        {
            return null;
        }

        try
        {
            var addresses = await NameLookup.ResolveAsync(host, lookUp, cancellationToken)
                .WaitAsync(s_longestLookUp, time ?? TimeProvider.System, cancellationToken);
            return addresses.Length > 0 && !addresses.Any(PublicAddress.Is) ? Refusal(host, port) : null;
        }
        catch (Exception unresolved) when (unresolved is SocketException or TimeoutException)
        {
            return null;
        }
    }

    private string Refusal(string host, int port) =>
        $"{host}:{port} is a private, link-local or metadata address. Add it to {setting} if it is meant.";
}

/// <summary>The address must not be called; the message says which and where to allow it.</summary>
public sealed class EgressRefusedException(string message) : Exception(message);

/// <summary>Tells addresses of the open internet from those that only reach inside: private, link-local, metadata services.</summary>
public static class PublicAddress
{
    /// <summary>
    /// All of IPv6 that is routed on the internet. Every other range is reserved, or carries an IPv4 address inside:
    /// https://www.iana.org/assignments/ipv6-address-space.
    /// </summary>
    private static readonly IPNetwork s_globalUnicast = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] s_inside =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4",
            "168.63.129.16/32", // Azure's own channel to its agents, reachable from every VM
            "2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20", // tunnels that carry an IPv4 address inside, protocols, documentation
        }.Select(IPNetwork.Parse),
    ];

    public static bool Is(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return (address.AddressFamily is AddressFamily.InterNetwork || s_globalUnicast.Contains(address))
            && !s_inside.Any(network => network.Contains(address));
    }
}

/// <summary>Reads answers of others, who may send anything.</summary>
internal static class JsonAnswer
{
    public static JsonNode? Parse(string body)
    {
        try
        {
            return JsonNode.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>How long the other side asks to wait: so many seconds, or until a time by its own clock.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage answer) => RetryAfter(answer.Headers.RetryAfter, answer.Headers.Date);

    /// <inheritdoc cref="RetryAfter(HttpResponseMessage)"/>
    public static TimeSpan? RetryAfter(RetryConditionHeaderValue? asked, DateTimeOffset? now) => asked switch
    {
        { Delta: { } seconds } => seconds,
        { Date: { } until } when until > now => until - now,
        _ => null,
    };

    public static string? Text(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var found) ? found : null;

    public static bool? Flag(JsonNode? value) => value is JsonValue flag && flag.TryGetValue<bool>(out var found) ? found : null;
}
