using Runbooks.Sandbox.Apis.Arm;

namespace Runbooks.Sandbox.Apis.Provider;

/// <summary>
/// An LLM provider with OpenAI's API. Its outage begins with the first question and ends by itself, or by
/// <c>POST /provider/_outage {"down":false}</c>. Beside it are two deployments of Azure OpenAI behind a gateway: <c>ptu</c>, whose
/// provisioned throughput is used up for a while from the first completion on, and <c>paygo</c>. While <c>ptu</c> spills over, Azure
/// sends the requests that it would refuse to the other one.
/// </summary>
internal sealed class ProviderApi(
    [FromKeyedServices(ProviderApi.Began)] FirstAsked began,
    ProvisionedThroughput throughput,
    CognitiveKind models,
    SandboxOptions options,
    SandboxChanges changes,
    TimeProvider time)
    : SandboxApi("provider"), IRemembered
{
    public const string Began = "provider/began";
    private const string Model = "practice-large";
    private bool? _said;

    string IRemembered.Key => "provider/said";

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", (HttpRequest request) => Unless(request, () => Results.Json(
            new { @object = "list", data = new[] { new { id = Model, @object = "model", owned_by = "practice" } } })));
        routes.MapPost("/v1/chat/completions", (HttpRequest request) => Unless(request, () => Completion()));
        routes.MapPost(
            "/ptu/v1/chat/completions",
            (HttpRequest request) => throughput.IsUsedUp && !models.SpillsOver ? Error(429, request) : Completion());
        routes.MapPost("/paygo/v1/chat/completions", () => Completion());
        // A model of our own, without the outage.
        routes.MapGet("/local/v1/models", () => Results.Json(
            new { @object = "list", data = new[] { new { id = "practice-small", @object = "model", owned_by = "practice" } } }));
        routes.MapPost("/local/v1/chat/completions", () => Completion("practice-small"));
        routes.MapPost("/_outage", async (HttpRequest request) =>
        {
            const string Example = "{\"down\":false}";
            var (outage, problem) = await PracticeBody.ReadAsync<Outage>(request, Example);
            if (outage is null)
            {
                return PracticeBody.Answer(problem ?? $"The body is empty. Example: {Example}");
            }

            SetDown(outage.Down);
            return Results.NoContent();
        });
    }

    /// <summary>Sets the outage until the next call or a reset, whatever the clock says.</summary>
    public void SetDown(bool down)
    {
        _said = down;
        changes.Touch();
    }

    public override object Describe() => new { down = IsDown(ask: false) };

    public override void Reset()
    {
        _said = null;
        began.Reset();
        throughput.Reset();
    }

    public override IResult Error(int status, HttpRequest request)
    {
        if (status is 429 or 503)
        {
            request.HttpContext.Response.Headers.RetryAfter = "20";
        }

        var (type, message, code) = status switch
        {
            401 => ("invalid_request_error", "Incorrect API key provided.", null),
            // As DeepSeek answers. OpenAI's status is 429 also where the quota is used up.
            402 => ("unknown_error", "Insufficient Balance", "invalid_request_error"),
            403 => ("invalid_request_error", "Your key has no access to this model.", null),
            429 => ("rate_limit_error", "Rate limit reached for requests.", null),
            503 => ("service_unavailable_error", "The engine is currently overloaded, please try again later.", null),
            _ => ("server_error", "The server had an error while processing your request.", (string?)null),
        };
        return Results.Json(new { error = new { message, type, code } }, statusCode: status);
    }

    private IResult Completion(string model = Model) => Results.Json(new
    {
        id = "chatcmpl-practice",
        @object = "chat.completion",
        created = time.GetUtcNow().ToUnixTimeSeconds(),
        model,
        choices = new[] { new { index = 0, message = new { role = "assistant", content = "ok" }, finish_reason = "length" } },
        usage = new { prompt_tokens = 1, completion_tokens = 1, total_tokens = 2 },
    });

    private IResult Unless(HttpRequest request, Func<IResult> answer) => (request.Headers.Authorization.Count, IsDown(ask: true)) switch
    {
        (0, _) => Error(401, request),
        (_, true) => Error(503, request),
        _ => answer(),
    };

    /// <param name="ask">Whether this question begins the outage.</param>
    public bool IsDown(bool ask)
    {
        var since = ask ? began.At : began.Known;
        return _said ?? (since is null || time.GetUtcNow() < since + options.ProviderRecoversAfter);
    }

    JsonNode? IRemembered.Save() => _said;

    void IRemembered.Load(JsonNode saved) => _said = saved.GetValue<bool>();

    internal sealed record Outage(bool Down);
}
