namespace Runbooks.Sandbox.Apis;

/// <summary>
/// The admin API of a LiteLLM proxy. The model <c>gpt-4o</c> is served by <c>ptu</c> and <c>paygo</c>, which have weights and are in
/// its database. <c>gpt-4o-mini</c> is in its configuration file, <c>small</c> has one deployment without a weight, <c>chat</c> is
/// routed by latency, and the second deployment of <c>spare</c> has a higher order. The key <c>practice</c> is an admin's, any other
/// key a user's.
/// </summary>
internal sealed class LiteLlmApi(SandboxChanges changes, FaultRegistry faults) : SandboxApi("litellm"), IRemembered
{
    private const string Routing =
        """{"current_values":{"routing_strategy":"simple-shuffle","routing_groups":[{"group_name":"fast","models":["chat"],"routing_strategy":"latency-based-routing"}]}}""";

    // The fields of its GenericLiteLLMParams that are not None by default.
    private static readonly JsonObject s_defaults = new()
    {
        ["use_in_pass_through"] = false,
        ["use_litellm_proxy"] = false,
        ["merge_reasoning_content_in_choices"] = false,
    };

    private JsonArray _models = Begin();

    string IRemembered.Key => "litellm/models";

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/model/info", (HttpRequest request) => KeyOf(request) is null ? Error(401, request) : Locked(() => Results.Text(
            new JsonObject { ["data"] = _models.DeepClone() }.ToJsonString(), "application/json")));
        routes.MapGet(
            "/router/settings",
            (HttpRequest request) => KeyOf(request) is null ? Error(401, request) : Results.Text(Routing, "application/json"));
        routes.MapGet("/user/list", (HttpRequest request) => KeyOf(request) switch
        {
            null => Error(401, request),
            "practice" when !faults.Denies("litellm", "update models") => Results.Json(new
            {
                users = Array.Empty<object>(),
                total = 0,
                page = 1,
                page_size = 1,
                total_pages = 0,
            }),
            _ => Error(403, request),
        });
        routes.MapPatch("/model/{id}/update", (Delegate)UpdateAsync);
    }

    public override object Describe() => Locked(() => _models.DeepClone());

    public override void Reset() => Locked(() => _models = Begin());

    /// <summary>As FastAPI writes the proxy's <c>ProxyException</c>.</summary>
    public override IResult Error(int status, HttpRequest request) => status switch
    {
        401 => Failed(401, "Authentication Error, No api key passed in.", "auth_error"),
        403 => Failed(
            403,
            "User does not have permission to make this model call. Your role=internal_user. "
                + "You can only make model calls if you are a PROXY_ADMIN or if you are a team admin, by specifying a team_id in the model_info.",
            "auth_error"),
        _ => Failed(status, "Internal Server Error, the sandbox was told to fail.", "internal_server_error"),
    };

    JsonNode? IRemembered.Save() => Locked(() => _models.DeepClone());

    void IRemembered.Load(JsonNode saved) => _models = saved.DeepClone().AsArray();

    private async Task<IResult> UpdateAsync(HttpRequest request, string id)
    {
        if (KeyOf(request) is not { } key)
        {
            return Error(401, request);
        }

        if (await JsonBody.ReadAsync(request) is not JsonObject patch)
        {
            return Failed(422, "The body is no JSON object.", "validation_error");
        }

        return Locked(() =>
        {
            if (_models.OfType<JsonObject>().FirstOrDefault(model => (string?)model["model_info"]!["id"] == id) is not { } model)
            {
                return Failed(404, $"Model {id} not found on proxy.", "not_found_error");
            }

            if (!(bool)model["model_info"]!["db_model"]!)
            {
                return Failed(400, "Cannot edit config-based model. Store model in DB via /model/new first.", "validation_error");
            }

            if (key != "practice" || faults.Denies("litellm", "update models"))
            {
                return Error(403, request);
            }

            // A null is left out, as by pydantic's exclude_none. A switch that is not named is written with its default.
            foreach (var (name, value) in patch["litellm_params"] is JsonObject given
                ? s_defaults.Where(one => given[one.Key] is null).Concat(given.Where(one => one.Value is not null))
                : [])
            {
                model["litellm_params"]![name] = value!.DeepClone();
            }

            if (patch["blocked"] is { } blocked)
            {
                model["model_info"]!["blocked"] = blocked.DeepClone();
            }

            changes.Touch();
            return Results.Text(
                new JsonObject
                {
                    ["model_id"] = id,
                    ["model_name"] = model["model_name"]!.DeepClone(),
                    ["updated_by"] = "default_user_id",
                }.ToJsonString(),
                "application/json");
        });
    }

    private static string? KeyOf(HttpRequest request) =>
        request.Headers.Authorization.ToString() is ['B', 'e', 'a', 'r', 'e', 'r', ' ', .. var key] ? key : null;

    private static IResult Failed(int status, string message, string type) =>
        Results.Json(
            new { error = new { message, type, param = (string?)null, code = status.ToString(System.Globalization.CultureInfo.InvariantCulture) } },
            statusCode: status);

    private T Locked<T>(Func<T> what)
    {
        lock (changes.Gate)
        {
            return what();
        }
    }

    private static JsonArray Begin() =>
    [
        Model("gpt-4o", "ptu", "azure/gpt-4o-ptu", 9, stored: true, passThrough: true),
        Model("gpt-4o", "paygo", "azure/gpt-4o-paygo", 1, stored: true),
        Model("gpt-4o-mini", "mini-a", "azure/gpt-4o-mini", 1, stored: false),
        Model("gpt-4o-mini", "mini-b", "openai/gpt-4o-mini", 1, stored: false),
        Model("small", "small-a", "hosted_vllm/practice-small", 5, stored: true),
        Model("small", "small-b", "hosted_vllm/practice-small", null, stored: true),
        Model("chat", "chat-a", "azure/chat", 1, stored: true),
        Model("chat", "chat-b", "openai/chat", 1, stored: true),
        Model("spare", "spare-a", "azure/spare", 1, stored: true, order: 1),
        Model("spare", "spare-b", "openai/spare", 1, stored: true, order: 2),
    ];

    private static JsonObject Model(string name, string id, string model, int? weight, bool stored, int? order = null, bool passThrough = false)
    {
        var parameters = s_defaults.DeepClone().AsObject();
        (parameters["model"], parameters["use_in_pass_through"]) = (model, passThrough);
        if (weight is { } share)
        {
            parameters["weight"] = share;
        }

        if (order is { } place)
        {
            parameters["order"] = place;
        }

        return new()
        {
            ["model_name"] = name,
            ["litellm_params"] = parameters,
            ["model_info"] = new JsonObject { ["id"] = id, ["db_model"] = stored },
        };
    }
}
