using System.Collections.Concurrent;
using Azure;
using Azure.Core.Pipeline;
using Azure.ResourceManager;

namespace Runbooks.Integrations.Azure;

internal sealed class AzurePipelines(
    TokenCredential credential, IOptions<OutboundHttpOptions> http, Action<ClientOptions>? configure = null, TimeProvider? time = null)
{
    private readonly OutageBackoff _backoff = new(time ?? TimeProvider.System);
    private readonly ConcurrentDictionary<(Uri Endpoint, string Scope), HttpPipeline> _pipelines = new();

    public AzureClient To(Uri endpoint, string scope) => new(
        _pipelines.GetOrAdd((Origin(endpoint), scope), key => IsPractice(endpoint)
            ? HttpPipelineBuilder.Build(Careful(new CallOptions()))
            : HttpPipelineBuilder.Build(Careful(new CallOptions()), new BearerTokenAuthenticationPolicy(credential, key.Scope))),
        endpoint);

    /// <summary>Azure Resource Manager, through the pipeline of its SDK: it also answers challenges of conditional access.</summary>
    public AzureClient ToManagement(Uri endpoint) => new(
        _pipelines.GetOrAdd((Origin(endpoint), "management"), _ => IsPractice(endpoint)
            ? HttpPipelineBuilder.Build(Careful(new CallOptions()))
            : ManagementPipeline.Of(
                credential,
                Careful(new ArmClientOptions { Environment = new ArmEnvironment(endpoint, endpoint.ToString().TrimEnd('/')) }))),
        endpoint);

    // No token ever leaves over plain http. On loopback that is the sandbox, which asks for none; elsewhere the policy for bearer
    // tokens refuses.
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
/// Lends the pipeline of <see cref="ArmClient"/> to requests for which the SDK has no typed method: POST actions, etags, and
/// resource types whose packages are not used here.
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

internal sealed class NotAskedException(string message) : RequestFailedException(message);

/// <summary>
/// Spares a service of Azure that does not answer: after some failures in a row, calls fail at once with the reason, and one of them
/// is let through after a pause that grows. Each resource provider of Resource Manager counts on its own, because one that is down
/// says nothing about the others.
/// </summary>
internal sealed class OutageBackoff(TimeProvider time) : HttpPipelinePolicy
{
    private const int FailuresInARow = 5;
    private const int MostServices = 1_000;

    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Outage> _services = new(StringComparer.OrdinalIgnoreCase);

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
        throw new NotSupportedException("Calls of Azure are asynchronous.");

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        var service = ServiceOf(message.Request.Uri.ToUri());
        if (_services.TryGetValue(service, out var outage) && outage.Left(time.GetUtcNow()) is { } left)
        {
            throw new NotAskedException($"It has not answered {outage.Failures} times in a row, "
                + $"so it is asked again in {Math.Ceiling(left.TotalSeconds):0} s.");
        }

        try
        {
            await ProcessNextAsync(message, pipeline);
        }
        catch (Exception silence) when (silence is RequestFailedException or AggregateException or HttpRequestException or IOException
            || (silence is OperationCanceledException && !message.CancellationToken.IsCancellationRequested))
        {
            Fail(service);
            throw;
        }
        catch
        {
            // The caller gave up, or had no token: that says nothing about the service.
            outage?.GiveUp();
            throw;
        }

        if (message.Response.Status is 502 or 503 or 504)
        {
            Fail(service);
        }
        else
        {
            _services.TryRemove(service, out _);
        }
    }

    private void Fail(string service)
    {
        if (_services.Count < MostServices || _services.ContainsKey(service))
        {
            _services.GetOrAdd(service, _ => new()).Fail(time.GetUtcNow());
        }
    }

    /// <summary>
    /// The host, and for Resource Manager the provider that answers too: <c>management.azure.com/Microsoft.Cdn</c>. For what extends a
    /// resource, such as its metrics, that is the last one of the path.
    /// </summary>
    private static string ServiceOf(Uri uri)
    {
        const string Providers = "/providers/";
        var at = uri.AbsolutePath.LastIndexOf(Providers, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? uri.Authority : $"{uri.Authority}/{uri.AbsolutePath[(at + Providers.Length)..].Split('/', 2)[0]}";
    }

    private sealed class Outage
    {
        private readonly Lock _gate = new();
        private DateTimeOffset _until;
        private bool _probing;

        public int Failures { get; private set; }

        /// <returns>Null for a caller that may ask; of those after the pause, only for the first.</returns>
        public TimeSpan? Left(DateTimeOffset now)
        {
            lock (_gate)
            {
                if (Failures < FailuresInARow)
                {
                    return null;
                }

                if (now >= _until && !_probing)
                {
                    _probing = true;
                    return null;
                }

                return now < _until ? _until - now : s_firstPause;
            }
        }

        public void GiveUp()
        {
            lock (_gate)
            {
                _probing = false;
            }
        }

        public void Fail(DateTimeOffset now)
        {
            lock (_gate)
            {
                _probing = false;
                Failures++;
                var pause = s_firstPause * Math.Pow(2, Math.Clamp(Failures - FailuresInARow, 0, 10));
                _until = now + (pause < s_longestPause ? pause : s_longestPause);
            }
        }
    }
}

internal sealed record AzureRequest(RequestMethod Method, Uri Uri, string What, string On, string Role)
{
    /// <summary>It changes nothing, so it may be sent again; some queries are a POST.</summary>
    public bool OnlyReads { get; init; } = Method == RequestMethod.Get;

    /// <summary>JSON; null for no body.</summary>
    public BinaryData? Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    public string? Accept { get; init; }

    /// <summary>With its quotes, or <c>*</c>.</summary>
    public string? IfMatch { get; init; }

    public string? IfNoneMatch { get; init; }

    /// <summary>Statuses beside 2xx that the caller understands; any other is an exception.</summary>
    public IReadOnlyCollection<int> Understood { get; init; } = [];
}

/// <param name="ETag">With its quotes.</param>
internal sealed record AzureResponse(int Status, string? ETag, BinaryData Body, Uri? Poll, TimeSpan? RetryAfter)
{
    /// <summary>Why the operation that Azure named was not followed to its end; null when it was, or when there was none.</summary>
    public string? NotFollowed { get; init; }

    /// <summary>Azure accepted the request, with nothing that this identity may follow: the outcome is not known.</summary>
    public bool IsOnlyAccepted => NotFollowed is not null || (Status == 202 && Poll is null);

    public string Describe(string done, string what) =>
        IsOnlyAccepted ? $"Azure accepted the request to {what}, and does not tell when that is done. {NotFollowed}".TrimEnd() : done;
}

internal sealed class AzureRequestException(string message, int status = 0, Exception? inner = null)
    : AttemptFailedException(message, inner)
{
    /// <summary>0 when there was no answer.</summary>
    public int Status => status;

    /// <summary>Nobody answered, or nobody had time for the request: the resource may be well.</summary>
    public bool IsSilent { get; init; }

    /// <summary>How long the answer asks to wait; null where it does not.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
