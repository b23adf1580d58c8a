using System.Net;
using System.Text.Json.Serialization;

namespace Runbooks.Integrations.Http;

/// <summary>Section <c>HttpRequest</c>.</summary>
public sealed class HttpRequestOptions
{
    public const string SectionName = "HttpRequest";

    /// <summary>Hosts that may be called: <c>name</c>, <c>name:port</c> or <c>*.domain</c>; none means that nothing may be called.</summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Those of them whose address may be private.</summary>
    public IList<string> PrivateHosts { get; } = [];

    internal EgressGuard Guard => new([.. PrivateHosts], $"{SectionName}:{nameof(PrivateHosts)}");

    internal EgressGuard Called => new([.. AllowedHosts], $"{SectionName}:{nameof(AllowedHosts)}");
}

public sealed record HttpUndo
{
    [Required, HttpUrl]
    [Description("Where to send it; on the same host.")]
    public required string Url { get; init; }

    [Description("How.")]
    public WriteMethod Method { get; init; } = WriteMethod.Post;

    [Description("The body, sent as JSON.")]
    public JsonObject? Body { get; init; }

    [Range(200, 399)]
    [Description("The status code that means success; any 2xx when left out.")]
    public int? ExpectStatus { get; init; }
}

public sealed record HttpRequestParameters : IValidatableObject
{
    [Required, HttpUrl]
    [Description("Where to send it; the configuration has to allow the host.")]
    public required string Url { get; init; }

    [Description("How.")]
    public WriteMethod Method { get; init; } = WriteMethod.Post;

    [Description("The body, sent as JSON.")]
    public JsonObject? Body { get; init; }

    [Secret, MaxLength(4000), TextPattern("^[A-Za-z0-9._~+/=-]+$", "a token of letters, digits and . _ ~ + / = -")]
    [Description("A bearer token.")]
    public string? Token { get; init; }

    [Range(200, 399)]
    [Description("The status code that means success; any 2xx when left out.")]
    public int? ExpectStatus { get; init; }

    [Description("The request that takes it back, with `url`, `method`, `body` and `expectStatus`; it carries the same token. "
        + "It may be sent twice, also when the first one failed, and while another incident relies on what the first one did.")]
    public HttpUndo? Undo { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        AuthorityOf(Undo?.Url) is { } there && AuthorityOf(Url) is { } here && !there.Equals(here, StringComparison.OrdinalIgnoreCase)
            ? [new AnyValueResult($"has to be on the same host as 'url', not on {there}.", "undo.url")]
            : [];

    /// <returns>Null where it has a placeholder: that is not an address yet.</returns>
    private static string? AuthorityOf(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var address) ? address.GetLeftPart(UriPartial.Authority) : null;
}

public enum WriteMethod { Post, Put, Patch, Delete }

/// <summary>
/// Calls a web hook or an API. It sends an idempotency key, but it is not known whether the other side heeds it. It is undone only
/// as the runbook says.
/// </summary>
internal sealed class HttpRequestAction(IHttpClientFactory clients, IOptions<HttpRequestOptions> options)
    : RunbookAction<HttpRequestParameters>("http.request", "Sends one HTTP request to a host that the configuration allows.")
{
    public const string Client = "http.request";

    public override bool Repeatable => false;

    public override Reversal ReversalOf(JsonElement with) => Reversals.UndoneIn(with);

    protected override async Task<Preparation> PrepareAsync(
        HttpRequestParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var call = new HttpCall(parameters.Url, parameters.Method, parameters.Body, parameters.ExpectStatus);
        // No record has the token: it comes from the parameters again.
        var undo = parameters.Undo is { } said
            ? new HttpCall(said.Url, said.Method, said.Body, said.ExpectStatus, parameters.Token is not null)
            : null;
        return new Preparation
        {
            PlannedEffect = call.Text,
            Refusal = Refusal(call, parameters.Token)
                ?? (undo is null ? null : Refusal(undo, parameters.Token))
                ?? await FindPrivateAsync(new(call.Url), cancellationToken),
            Undo = undo?.Text,
            UndoState = undo is null ? null : JsonSerializer.SerializeToElement(undo),
        };
    }

    protected override Task<ActionResult> ApplyAsync(
        HttpRequestParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
        SendAsync(
            new(parameters.Url, parameters.Method, parameters.Body, parameters.ExpectStatus), parameters.Token, context, cancellationToken);

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var undo = undoState.Deserialize<HttpCall>()!;
        var token = (context.Parameters as HttpRequestParameters)?.Token;
        return undo.WithToken && token is null
            ? throw new StepRefusedException($"{undo.Shown} takes a token, and the step's parameters do not give it any more.")
            : SendAsync(undo, undo.WithToken ? token : null, context, cancellationToken);
    }

    private async Task<ActionResult> SendAsync(HttpCall call, string? token, StepContext context, CancellationToken cancellationToken)
    {
        if (Refusal(call, token) is { } refusal)
        {
            throw new StepRefusedException(refusal) { NothingDone = true };
        }

        using var request = new HttpRequestMessage(new HttpMethod(call.Verb), call.Url);
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("runbooks", "1.0"));
        request.Headers.TryAddWithoutValidation("Idempotency-Key", context.IdempotencyKey);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        request.Content = call.Body is null ? null : new StringContent(call.Body.ToJsonString(), Encoding.UTF8, "application/json");
        try
        {
            using var answer = await clients.CreateClient(Client)
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var status = (int)answer.StatusCode;
            if (answer.StatusCode == HttpStatusCode.TooManyRequests)
            {
                // The request was turned away.
                throw new AttemptFailedException($"{call.Shown} has too much to do at the moment (429).") { NothingDone = true };
            }

            // RFC 9110: 502 and 504 come from a gateway that got no answer, and a server that failed may have done a part.
            if (status is 408 or >= 500)
            {
                throw new AttemptFailedException($"{call.Shown} answered {status}, which does not say whether it was carried out.");
            }

            return (call.ExpectStatus is { } expected ? status == expected : answer.IsSuccessStatusCode)
                ? new ActionResult($"{call.Verb} {call.Shown} answered {status}.")
                : throw new StepRefusedException($"{call.Shown} answered {status}, which is not success.") { NothingDone = status >= 400 };
        }
        catch (HttpRequestException failed) when (failed.InnerException is EgressRefusedException refused)
        {
            throw new StepRefusedException($"{call.Shown} was not called: {refused.Message}") { NothingDone = true };
        }
        catch (HttpRequestException failed) when (NeverSent.Is(failed))
        {
            throw new AttemptFailedException($"{call.Shown} {OwnNetwork.Describe(failed)}", failed) { NothingDone = true };
        }
    }

    /// <summary>The undo is on the same host.</summary>
    private Task<string?> FindPrivateAsync(Uri url, CancellationToken cancellationToken) =>
        options.Value.Guard.FindRefusalAsync(url.DnsSafeHost, url.Port, cancellationToken);

    private string? Refusal(HttpCall call, string? token)
    {
        var url = new Uri(call.Url);
        if (!options.Value.Called.Allows(url.Host, url.Port))
        {
            return $"{url.Authority} is not among {HttpRequestOptions.SectionName}:AllowedHosts. Add it there if it is meant.";
        }

        return token is not null && url is { Scheme: "http", IsLoopback: false }
            ? "A token is never sent over plain http. Use https."
            : null;
    }

    /// <summary>For an address that people read: what is done with the body has to follow it.</summary>
    private const int LongestShown = 200;

    private sealed record HttpCall(string Url, WriteMethod Method, JsonObject? Body, int? ExpectStatus, bool WithToken = false)
    {
        [JsonIgnore]
        public string Verb => Method.ToString().ToUpperInvariant();

        // Shows only that there is a query, because people put keys there.
        [JsonIgnore]
        public string Shown =>
            $"{Clip.Middle(new Uri(Url).GetLeftPart(UriPartial.Path), LongestShown)}{(new Uri(Url).Query.Length > 1 ? "?…" : "")}";

        [JsonIgnore]
        public string Text => $"{Verb} {Shown} with {BodyText.Of(Body)}.";
    }
}
