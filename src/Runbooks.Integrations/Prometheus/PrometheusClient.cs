namespace Runbooks.Integrations.Prometheus;

/// <seealso href="https://prometheus.io/docs/prometheus/latest/querying/api/"/>
internal sealed class PrometheusClient(IHttpClientFactory clients, AzurePipelines azure, IOptions<PrometheusOptions> options)
{
    public const string Client = "prometheus";
    public const string AzureRole = "Monitoring Data Reader";

    /// <summary>Managed Prometheus: the query endpoints of Azure Monitor workspaces.</summary>
    /// <seealso href="https://learn.microsoft.com/azure/azure-monitor/metrics/prometheus-api-promql"/>
    private const string AzureScope = "https://prometheus.monitor.azure.com/.default";

    // The statuses for a query that cannot be read or carried out: Prometheus says in its own form what is wrong with it.
    private static readonly int[] s_badQuery = [400, 422];

    /// <summary>A side question must not delay the answer that counts.</summary>
    private static readonly TimeSpan s_longestForAge = TimeSpan.FromSeconds(3);

    public (string Name, PrometheusEndpoint Endpoint) Find(string? name)
    {
        var (found, problem) = ConfiguredName.Find(
            name,
            options.Value.Default,
            options.Value.Endpoints,
            "Prometheus",
            PrometheusOptions.SectionName,
            "Endpoints:{0}:Url",
            "name an endpoint in the check");
        return found is null ? throw new PrometheusException(problem!) : (found, options.Value.Endpoints[found]);
    }

    public Task<IReadOnlyList<PrometheusSeries>> QueryAsync(string? endpoint, string query, CancellationToken cancellationToken) =>
        AskAsync(endpoint, $"api/v1/query?query={Uri.EscapeDataString(query)}", cancellationToken);

    public Task<IReadOnlyList<PrometheusSeries>> RangeAsync(
        string? endpoint, string query, DateTimeOffset start, DateTimeOffset end, TimeSpan step, CancellationToken cancellationToken) =>
        AskAsync(
            endpoint,
            $"api/v1/query_range?query={Uri.EscapeDataString(query)}"
                + $"&start={start.ToUnixTimeSeconds()}&end={end.ToUnixTimeSeconds()}&step={step.TotalSeconds:0}",
            cancellationToken);

    /// <summary>
    /// How old the newest scraped sample of anything is. When nothing is scraped any more, a query answers with the last samples for
    /// five minutes, or as long as it looks back, and does not say so.
    /// </summary>
    /// <returns>Zero where that is not known: not everything that speaks this API scrapes, and then it has no <c>up</c>.</returns>
    public async Task<TimeSpan> LastScrapeAgeAsync(
        string? endpoint, string? cluster, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(s_longestForAge, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var up = cluster is null ? "up" : $"up{{{ClusterLabel.Name}=\"{cluster}\"}}";
        try
        {
            // Functions that look back farther than five minutes still answer. Not all clusters are named in `up`.
            IReadOnlyList<PrometheusSeries> newest = [];
            string[] queries = [$"max(timestamp({up}))", $"max(max_over_time(timestamp({up})[1h:1m]))", "max(timestamp(up))"];
            for (var i = 0; i < queries.Length && newest.Count == 0; i++)
            {
                newest = await QueryAsync(endpoint, queries[i], either.Token);
            }

            // Both times are of the clock of Prometheus. The oldest step of the hour still finds a sample that is five minutes older.
            return newest is [{ Times: [var asked], Values: [var scraped] }] && asked - scraped is >= 0 and <= 3900 and var seconds
                ? TimeSpan.FromSeconds(seconds)
                : TimeSpan.Zero;
        }
        catch (Exception failed) when (failed is PrometheusException
            || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return TimeSpan.Zero;
        }
    }

    public Task<IReadOnlyList<AlertRule>> AlertRulesAsync(string? endpoint, CancellationToken cancellationToken) =>
        AskAsync(endpoint, "api/v1/rules?type=alert", AlertRule.Read, cancellationToken);

    private Task<IReadOnlyList<PrometheusSeries>> AskAsync(string? endpoint, string path, CancellationToken cancellationToken) =>
        AskAsync(endpoint, path, PrometheusSeries.Read, cancellationToken);

    private async Task<IReadOnlyList<T>> AskAsync<T>(
        string? endpointName, string path, Func<JsonElement, IReadOnlyList<T>> read, CancellationToken cancellationToken)
    {
        var (name, endpoint) = Find(endpointName);
        var url = new Uri($"{endpoint.Url.TrimEnd('/')}/{path}");
        var (status, text) = endpoint.AzureIdentity
            ? await ThroughAzureAsync(name, url, cancellationToken)
            : await DirectlyAsync(name, endpoint, url, cancellationToken);
        return Read(name, status, text, read);
    }

    private async Task<(int Status, string Text)> DirectlyAsync(
        string name, PrometheusEndpoint endpoint, Uri url, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (endpoint.Token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", endpoint.Token);
        }

        return await clients.CreateClient(Client).ReadAsync(
            request,
            unreachable => new PrometheusException($"Prometheus '{name}' {OwnNetwork.Describe(unreachable)}", unreachable),
            cancellationToken);
    }

    private async Task<(int Status, string Text)> ThroughAzureAsync(string name, Uri url, CancellationToken cancellationToken)
    {
        var call = new AzureRequest(RequestMethod.Get, url, "query it", $"Prometheus '{name}'", AzureRole) { Understood = s_badQuery };
        try
        {
            var answer = await azure.To(url, AzureScope).SendAsync(call, cancellationToken);
            return (answer.Status, answer.Body.ToString());
        }
        catch (Exception failed) when (failed is AzureRequestException or StepRefusedException)
        {
            throw new PrometheusException(failed.Message, failed);
        }
    }

    private static IReadOnlyList<T> Read<T>(string name, int httpStatus, string text, Func<JsonElement, IReadOnlyList<T>> read)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.TryGetProperty("status", out var status) && status.GetString() == "success")
            {
                // A number over a part of the data misleads.
                return WarningIn(json.RootElement) is { } warning
                    ? throw new PrometheusException($"Prometheus '{name}' answered with a warning, perhaps only in part: {Cut(warning)}")
                    : read(json.RootElement.GetProperty("data"));
            }

            var error = json.RootElement.TryGetProperty("error", out var message) ? message.GetString() : null;
            throw new PrometheusException($"Prometheus '{name}' answered {httpStatus}: {Cut(error ?? text)}");
        }
        catch (Exception odd) when (odd is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new PrometheusException(MessageOf(name, httpStatus, text), odd);
        }
    }

    /// <summary>VictoriaMetrics has no warning, but marks an answer in which some of its storage nodes are missing.</summary>
    /// <seealso href="https://docs.victoriametrics.com/victoriametrics/cluster-victoriametrics/#cluster-availability"/>
    private static string? WarningIn(JsonElement answer) =>
        answer.TryGetProperty("isPartial", out var isPartial) && isPartial.ValueKind == JsonValueKind.True ? "isPartial" : Warning(answer);

    // In older versions remarks that call nothing into question are among the warnings.
    private static string? Warning(JsonElement answer) =>
        answer.TryGetProperty("warnings", out var warnings) && warnings.ValueKind == JsonValueKind.Array
            ? warnings.EnumerateArray()
                .Select(one => one.ToString())
                .FirstOrDefault(one => !one.StartsWith("PromQL info:", StringComparison.Ordinal))
            : null;

    private static string MessageOf(string name, int status, string text) => status switch
    {
        401 or 403 => $"Prometheus '{name}' answered {status}: its token may not query it. "
            + $"A managed one takes AzureIdentity and the role {AzureRole}. {Cut(text)}",
        _ => $"Prometheus '{name}' answered {status}, and not as its API does: {Cut(text)}",
    };

    private static string Cut(string text) => Clip.To(text.Trim(), 300);
}

internal sealed class PrometheusException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Section <c>Prometheus</c>.</summary>
public sealed class PrometheusOptions : IValidatableObject
{
    public const string SectionName = "Prometheus";

    /// <summary>The endpoint of checks that name none; not needed when there is only one.</summary>
    public string? Default { get; set; }

    /// <summary>By the name that runbooks use.</summary>
    public IDictionary<string, PrometheusEndpoint> Endpoints { get; } = new Dictionary<string, PrometheusEndpoint>(StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. ConfiguredName.DefaultProblems(SectionName, "Endpoints", Default, Endpoints),
        .. Endpoints.SelectMany(endpoint => endpoint.Value
            .Problems($"{SectionName}:Endpoints:{endpoint.Key}")
            .Select(problem => new ValidationResult(problem))),
    ];
}

public sealed class PrometheusEndpoint
{
    /// <summary>Without <c>/api/v1</c>.</summary>
    public string Url { get; set; } = "";

    /// <summary>A bearer token, where one is needed.</summary>
    [Secret]
    public string? Token { get; set; }

    /// <summary>Ask with the app's identity in Azure instead: for managed Prometheus, the query endpoint of an Azure Monitor workspace.</summary>
    public bool AzureIdentity { get; set; }

    /// <summary>Where a person opens it; the URL itself when null. Managed Prometheus has no page of its own.</summary>
    public string? Ui { get; set; }

    /// <summary>
    /// How often its targets are scraped, up to an hour: what it answers counts as measured that long ago, or when its newest sample of
    /// `up` was, where that is older. Managed Prometheus does it every 30 seconds. 0 for one that scrapes nothing and knows how things
    /// are when it is asked.
    /// </summary>
    public TimeSpan Every { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// A query answers with the last sample, and does not say how old it is. In steps of one scrape, so that a sample that is read
    /// twice counts once.
    /// </summary>
    internal DateTimeOffset MeasuredUntil(DateTimeOffset asked, TimeSpan age)
    {
        var scraped = asked - (age > Every ? age : Every);
        return scraped.AddTicks(-(scraped.UtcTicks % Every.Ticks));
    }

    internal IEnumerable<string> Problems(string setting)
    {
        var isUrl = Uri.TryCreate(Url, UriKind.Absolute, out var url) && new HttpUrlAttribute().IsValid(Url);
        var sendsToken = Token is not null || AzureIdentity;
        return
        [
            .. Every < TimeSpan.Zero || Every > TimeSpan.FromHours(1) ? [$"{setting}:Every must be from 0 to 1 hour."] : Array.Empty<string>(),
            .. isUrl ? Array.Empty<string>() : [$"{setting}:Url must be an absolute http or https URL."],
            .. isUrl && url!.AbsolutePath.TrimEnd('/').EndsWith("/api/v1", StringComparison.Ordinal)
                ? [$"{setting}:Url must not end in /api/v1: that is added."]
                : Array.Empty<string>(),
            .. isUrl && sendsToken && url is { Scheme: "http", IsLoopback: false }
                ? [$"{setting} would send its token over plain http. Use https."]
                : Array.Empty<string>(),
            .. Token is not null && AzureIdentity ? [$"{setting} has both a Token and AzureIdentity. Choose one."] : Array.Empty<string>(),
        ];
    }
}
