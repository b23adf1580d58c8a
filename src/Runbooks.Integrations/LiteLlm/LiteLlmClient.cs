using static Runbooks.Integrations.Http.JsonAnswer;

namespace Runbooks.Integrations.LiteLlm;

/// <summary>
/// The admin API of a LiteLLM proxy, as in its <c>litellm/proxy/management_endpoints/model_management_endpoints.py</c> and
/// <c>proxy_server.py</c> (1.99): models are read from <c>/model/info</c> and changed by <c>PATCH /model/{id}/update</c>.
/// </summary>
internal sealed class LiteLlmClient(IHttpClientFactory clients, IOptions<LiteLlmOptions> options)
{
    public const string Client = "litellm";

    public string NameOf(string? name)
    {
        var (found, problem) = ConfiguredName.Find(
            name,
            options.Value.Default,
            options.Value.Proxies,
            "LiteLLM proxy",
            LiteLlmOptions.SectionName,
            "Proxies:{0}",
            "name a proxy in the step");
        return found ?? throw new StepRefusedException(problem!);
    }

    public async Task<IReadOnlyList<RoutedDeployment>> DeploymentsAsync(string proxy, string model, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(proxy, HttpMethod.Get, "/model/info", null, "list its models", cancellationToken);
        return
        [
            .. from one in (answer["data"] as JsonArray ?? []).OfType<JsonObject>()
               where Text(one["model_name"]) == model
               let id = Text(one["model_info"]?["id"])
               where id is not null
               select new RoutedDeployment(
                   id,
                   Text(one["litellm_params"]?["model"]) ?? "?",
                   Number(one["litellm_params"]?["weight"]),
                   Number(one["litellm_params"]?["order"]),
                   JsonAnswer.Flag(one["model_info"]?["db_model"]) == true,
                   JsonAnswer.Flag(one["model_info"]?["blocked"]) == true,
                   [.. (one["litellm_params"] as JsonObject ?? [])
                       .Where(parameter => parameter.Value?.GetValueKind() == JsonValueKind.True)
                       .Select(parameter => parameter.Key)]),
        ];
    }

    /// <summary>How the proxy chooses among the deployments of a model: a routing group of the model has a strategy of its own.</summary>
    /// <returns>Null when the proxy does not tell, as older ones do not.</returns>
    public async Task<string?> StrategyAsync(string proxy, string model, CancellationToken cancellationToken)
    {
        try
        {
            var settings = await SendAsync(proxy, HttpMethod.Get, "/router/settings", null, "read how it routes", cancellationToken);
            var values = settings["current_values"] as JsonObject;
            var group = (values?["routing_groups"] as JsonArray ?? []).OfType<JsonObject>()
                .FirstOrDefault(one => (one["models"] as JsonArray ?? []).Any(name => Text(name) == model));
            return Text(group?["routing_strategy"]) ?? Text(values?["routing_strategy"]);
        }
        catch (Exception unknown) when (unknown is StepRefusedException or LiteLlmException)
        {
            return null;
        }
    }

    /// <summary>LiteLLM writes the default, off, of each switch that a change does not name, so those that are on are named again.</summary>
    public Task SetWeightAsync(string proxy, RoutedDeployment deployment, double weight, CancellationToken cancellationToken)
    {
        var parameters = new JsonObject { ["weight"] = weight == Math.Floor(weight) ? (long)weight : weight };
        foreach (var name in deployment.Switches)
        {
            parameters[name] = true;
        }

        return SendAsync(
            proxy,
            HttpMethod.Patch,
            $"/model/{Uri.EscapeDataString(deployment.Id)}/update",
            new JsonObject { ["litellm_params"] = parameters },
            $"change the weight of {deployment.Id}",
            cancellationToken);
    }

    /// <summary>Whether the key is an admin's: only admins may list users.</summary>
    public async Task<string?> CheckAdminAsync(string proxy, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(proxy, HttpMethod.Get, "/user/list?page=1&page_size=1", null, "list its users", cancellationToken);
            return null;
        }
        catch (NoAdminKeyException)
        {
            return NoAdminKey(proxy);
        }
        catch (Exception unknown) when (unknown is StepRefusedException or LiteLlmException)
        {
            return null;
        }
    }

    private static string NoAdminKey(string proxy) =>
        $"The key of the LiteLLM proxy '{proxy}' is not one of a proxy admin, and only they may change models. "
            + $"Set {LiteLlmOptions.SectionName}:Proxies:{proxy}:ApiKey.";

    private async Task<JsonObject> SendAsync(
        string proxy, HttpMethod method, string path, JsonObject? body, string what, CancellationToken cancellationToken)
    {
        // A read may come after the change that it looks at, so its failure does not say that nothing was done.
        var (known, changes) = (options.Value.Proxies[proxy], method != HttpMethod.Get);
        using var request = new HttpRequestMessage(method, $"{known.Url.TrimEnd('/')}{path}");
        request.Headers.Authorization = known.ApiKey is null ? null : new AuthenticationHeaderValue("Bearer", known.ApiKey);
        request.Content = body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        var (status, text) = await clients.CreateClient(Client).ReadAsync(
            request, unreachable => new LiteLlmException(
                $"The LiteLLM proxy '{proxy}' {OwnNetwork.Describe(unreachable, what)}", unreachable)
            {
                NothingDone = changes && NeverSent.Is(unreachable),
            },
            cancellationToken);
        if (status is 401 or 403)
        {
            throw new NoAdminKeyException($"{NoAdminKey(proxy)} It says: {MessageOf(text)}") { NothingDone = changes };
        }

        if (status is >= 200 and <= 299 && Parse(text) is { } json)
        {
            return json;
        }

        var words = $"The LiteLLM proxy '{proxy}' answered {status} to: {what}. {MessageOf(text)}";
        throw status is 400 or 404
            ? new StepRefusedException(words) { NothingDone = changes }
            : new LiteLlmException(words) { NothingDone = changes && status is > 400 and < 500 and not 408 };
    }

    private static string MessageOf(string body) =>
        Clip.To((Text(Parse(body)?["error"]?["message"]) ?? Text(Parse(body)?["detail"]?["error"]) ?? body).Trim(), 300);

    private static JsonObject? Parse(string body) => JsonAnswer.Parse(body) as JsonObject;

    private static double? Number(JsonNode? value) =>
        value is JsonValue number && number.GetValueKind() == JsonValueKind.Number ? number.Deserialize<double>() : null;
}

/// <param name="Id">LiteLLM's own id: <c>model_info.id</c>.</param>
/// <param name="Order">Only deployments of the lowest order get requests; null when it has none.</param>
/// <param name="IsStored">It is in the proxy's database, and not in its configuration file, so it can be changed.</param>
/// <param name="IsPaused">An admin has blocked it: the router leaves it out before it looks at orders and weights.</param>
internal sealed record RoutedDeployment(
    string Id, string Model, double? Weight, double? Order, bool IsStored, bool IsPaused, IReadOnlyList<string> Switches);

internal sealed class LiteLlmException(string message, Exception? inner = null) : AttemptFailedException(message, inner);

internal sealed class NoAdminKeyException(string message) : StepRefusedException(message);

/// <summary>Section <c>LiteLlm</c>.</summary>
public sealed class LiteLlmOptions : IValidatableObject
{
    public const string SectionName = "LiteLlm";

    /// <summary>The proxy of steps that name none; not needed when there is only one.</summary>
    public string? Default { get; set; }

    /// <summary>By the name that runbooks use.</summary>
    public IDictionary<string, LiteLlmProxy> Proxies { get; } = new Dictionary<string, LiteLlmProxy>(StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. ConfiguredName.DefaultProblems(SectionName, "Proxies", Default, Proxies),
        .. Proxies.SelectMany(proxy => HttpsUrl.Problems(
            $"{SectionName}:Proxies:{proxy.Key}:Url", proxy.Value.Url, "https://litellm.example.com")),
        .. Proxies.Where(proxy => HttpsUrl.TryParse(proxy.Value.Url, out var url) && url.AbsolutePath.TrimEnd('/') == "/v1")
            .Select(proxy => new ValidationResult($"{SectionName}:Proxies:{proxy.Key}:Url must not end in /v1: its admin API is beside it.")),
    ];
}

public sealed class LiteLlmProxy
{
    /// <summary>The proxy's root, without a path of its API.</summary>
    public string Url { get; set; } = "";

    /// <summary>A key of a proxy admin: changing a model takes no less.</summary>
    [Secret]
    public string? ApiKey { get; set; }
}
