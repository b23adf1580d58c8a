namespace Runbooks.Integrations.Http;

/// <summary>Asks a URL once, without retries: a probe shows how things are, not how they are on a good day.</summary>
internal sealed class HttpProbe(IHttpClientFactory clients)
    : Check<HttpProbeParameters>("http.probe", "Asks a URL and compares the answer with what a healthy one looks like.")
{
    public const string Client = "http.probe";
    private const int MaxRedirects = 5;
    private const int MaxBody = 64 * 1024;

    protected override async Task<CheckResult> AskAsync(
        HttpProbeParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(parameters.Timeout, context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var started = context.Time.GetTimestamp();
        var url = new Uri(parameters.Url);
        var shown = Shown(url);
        try
        {
            var (answer, redirect) = await SendAsync(url, parameters.Method, both.Token);
            using var _ = answer;
            var missing = parameters.ExpectBody is { Length: > 0 } text && (int)answer.StatusCode == parameters.ExpectStatus
                ? await FindMissingTextAsync(answer, text, limit.Token, both.Token)
                : null;
            return Judge(parameters, answer, redirect, missing, shown, context.Time.GetElapsedTime(started));
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return OwnNetwork.TroubleAfter(parameters.Timeout, url) is { } trouble
                ? CheckResult.Unknown($"{shown} was not asked: {trouble}")
                : CheckResult.Failing($"{shown} did not answer within {parameters.Timeout.TotalSeconds:0.#} s.");
        }
        catch (HttpRequestException unreachable) when (unreachable.InnerException is EgressRefusedException refused)
        {
            return CheckResult.Unknown($"{shown} was not asked: {refused.Message}");
        }
        catch (HttpRequestException unreachable) when (OwnNetwork.Trouble(unreachable) is { } trouble)
        {
            return CheckResult.Unknown($"{shown} was not asked: {trouble}");
        }
        catch (HttpRequestException unreachable)
        {
            return CheckResult.Failing($"{shown} {OwnNetwork.Describe(unreachable)}");
        }
        catch (IOException broken)
        {
            return CheckResult.Failing($"{shown} broke off in the middle of its answer: {broken.Message}");
        }
    }

    /// <returns>And why a redirect was not followed, in brackets; empty where the answer is not a redirect.</returns>
    private async Task<(HttpResponseMessage Answer, string Redirect)> SendAsync(
        Uri url, ProbeMethod method, CancellationToken cancellationToken)
    {
        var client = clients.CreateClient(Client);
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(method == ProbeMethod.Head ? HttpMethod.Head : HttpMethod.Get, url);
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("runbooks", "1.0"));
            var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (Target(url, answer) is not { } next)
            {
                return (answer, "");
            }

            if (!MayFollow(url, next))
            {
                return (answer, $" (a redirect to {next.Scheme}://{next.Authority} is not followed)");
            }

            if (redirects == MaxRedirects)
            {
                return (answer, $" (after {MaxRedirects} redirects on this host)");
            }

            answer.Dispose();
            url = next;
        }
    }

    private static Uri? Target(Uri from, HttpResponseMessage answer) =>
        (int)answer.StatusCode is 301 or 302 or 303 or 307 or 308 && answer.Headers.Location is { } location
            ? new Uri(from, location)
            : null;

    // On the same host only, and never from https back to http.
    private static bool MayFollow(Uri from, Uri to)
    {
        var sameHost = string.Equals(to.IdnHost, from.IdnHost, StringComparison.OrdinalIgnoreCase);
        var sameDoor = to.Scheme == from.Scheme && to.Port == from.Port;
        var upgrade = from is { Scheme: "http", IsDefaultPort: true } && to is { Scheme: "https", IsDefaultPort: true };
        return sameHost && (sameDoor || upgrade);
    }

    /// <summary>Reads no further than to the text: a stream of events does not end.</summary>
    private static async Task<string?> FindMissingTextAsync(
        HttpResponseMessage answer, string expected, CancellationToken limit, CancellationToken cancellationToken)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var (text, buffer, read) = (Encoding.UTF8.GetBytes(expected), new byte[MaxBody], 0);
        try
        {
            while (read < buffer.Length && await stream.ReadAsync(buffer.AsMemory(read), cancellationToken) is > 0 and var more)
            {
                // The text may have come in two pieces.
                var from = Math.Max(0, read - text.Length);
                read += more;
                if (buffer.AsSpan(from..read).IndexOf(text) >= 0)
                {
                    return null;
                }
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return ", but its body had not ended by then, and was without the expected text so far";
        }

        return ", but without the expected text";
    }

    private static CheckResult Judge(
        HttpProbeParameters parameters, HttpResponseMessage answer, string redirect, string? missing, string shown, TimeSpan took)
    {
        var status = (int)answer.StatusCode;
        var (verdict, remark) = status != parameters.ExpectStatus
            ? (Verdict.Failing, $", expected {parameters.ExpectStatus}{redirect}")
            : missing is null ? (Verdict.Passing, "") : (Verdict.Failing, missing);
        return new CheckResult(verdict, $"{shown} answered {status} in {took.TotalMilliseconds:0} ms{remark}.")
        {
            Value = status.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Threshold = $"not {parameters.ExpectStatus}",
            Link = shown,
        };
    }

    // Without the query, because people put keys there.
    private static string Shown(Uri url) => url.GetLeftPart(UriPartial.Path);
}

public sealed record HttpProbeParameters : IValidatableObject
{
    [Required, HttpUrl]
    [Description("What to ask; http or https.")]
    public required string Url { get; init; }

    [Description("How to ask.")]
    public ProbeMethod Method { get; init; } = ProbeMethod.Get;

    [Range(100, 599)]
    [Description("The status code of a healthy answer.")]
    public int ExpectStatus { get; init; } = 200;

    [MaxLength(1000)]
    [Description("Text that a healthy answer to `get` contains, within its first 64 KiB.")]
    public string? ExpectBody { get; init; }

    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    [Description("How long to wait for the whole answer.")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Method != ProbeMethod.Head || ExpectBody is null
            ? []
            : [new AnyValueResult("goes with 'method: get': an answer to head has no body.", nameof(ExpectBody))];
}

public enum ProbeMethod { Get, Head }

/// <summary>Section <c>HttpProbe</c>.</summary>
public sealed class HttpProbeOptions
{
    public const string SectionName = "HttpProbe";

    /// <summary>Hosts that may be probed although their address is private: <c>name</c>, <c>name:port</c> or <c>*.domain</c>.</summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>
    /// Hosts whose certificates come from an authority of your own that this machine does not know: <c>name</c>, <c>name:port</c> or
    /// <c>*.domain</c>. For <c>tls.certificate</c> an unknown authority is no fault there.
    /// </summary>
    public IList<string> OwnAuthorityHosts { get; } = [];

    internal EgressGuard Guard => new([.. AllowedHosts], $"{SectionName}:{nameof(AllowedHosts)}");

    internal EgressGuard OwnAuthority => new([.. OwnAuthorityHosts], $"{SectionName}:{nameof(OwnAuthorityHosts)}");
}
