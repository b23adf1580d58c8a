namespace Runbooks.Integrations.Prometheus;

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
