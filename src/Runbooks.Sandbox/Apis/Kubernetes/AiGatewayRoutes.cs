using k8s;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>
/// The custom resource AIGatewayRoute of Envoy AI Gateway 1.1: <c>chat/assist</c> sends <c>gpt-4o</c> to <c>openai-ptu</c>, and to
/// <c>openai-paygo</c> when that one cannot be used, and all else to <c>chat-vllm</c>. Its controller accepts only these names.
/// </summary>
/// <seealso href="https://github.com/envoyproxy/ai-gateway/blob/v1.1.0/api/v1beta1/ai_gateway_route.go"/>
internal static class AiGatewayRoutes
{
    public const string Group = "aigateway.envoyproxy.io";
    public const string Version = "v1beta1";
    public const string Plural = "aigatewayroutes";
    public const string Kind = "AIGatewayRoute";

    public static void Map(IEndpointRouteBuilder routes, SandboxClusters clusters, TimeProvider time) =>
        routes.MapPatch($"/{{cluster}}/apis/{Group}/{Version}/namespaces/{{ns}}/{Plural}/{{name}}", async (HttpContext http) =>
            clusters.Find(KubernetesApi.Route(http, "cluster")) is { } cluster
                && cluster.AiRoutes.Find(KubernetesApi.Route(http, "ns"), KubernetesApi.Route(http, "name")) is { } route
                ? await KubernetesChanges.PatchAsync(http, Of(route), changed => Of(cluster.AiRoutes.Change(route, changed.Spec!, time.GetUtcNow())))
                : KubernetesStatus.NotFound(ResourceType.All.First(type => type.Kind == Kind), KubernetesApi.Route(http, "name")));

    public static AiGatewayRouteObject Of(SavedRoute route) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = route.Name,
            NamespaceProperty = route.Namespace,
            Uid = route.Uid,
            Generation = route.Generation,
            ResourceVersion = route.ChangedAt.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
            CreationTimestamp = route.CreatedAt.UtcDateTime,
        },
        Spec = route.Spec.DeepClone().AsObject(),
        Status = new JsonObject { ["conditions"] = new JsonArray(Condition(route)) },
    };

    private static JsonObject Condition(SavedRoute route)
    {
        var unknown = (route.Spec["rules"] as JsonArray ?? []).SelectMany(rule => rule?["backendRefs"] as JsonArray
            ?? []).Select(backend => (string?)backend?["name"])
            .FirstOrDefault(name => name is not ("openai-ptu" or "openai-paygo" or "chat-vllm"));
        return new JsonObject
        {
            ["lastTransitionTime"] = route.ChangedAt.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
            ["message"] = unknown is null
                ? "AI Gateway Route reconciled successfully"
                : $"failed to sync HTTPRoute: AIServiceBackend {route.Namespace}.{unknown} not found",
            ["reason"] = unknown is null ? "ReconciliationSucceeded" : "ReconciliationFailed",
            ["status"] = unknown is null ? "True" : "False",
            ["type"] = unknown is null ? "Accepted" : "NotAccepted",
        };
    }
}

internal sealed class AiGatewayRouteObject : IKubernetesObject<V1ObjectMeta>
{
    public string ApiVersion { get; set; } = $"{AiGatewayRoutes.Group}/{AiGatewayRoutes.Version}";

    public string Kind { get; set; } = AiGatewayRoutes.Kind;

    public V1ObjectMeta Metadata { get; set; } = new();

    public JsonObject? Spec { get; set; }

    public JsonObject? Status { get; set; }
}

internal sealed record SavedRoute(
    string Namespace, string Name, string Uid, long Generation, DateTimeOffset CreatedAt, DateTimeOffset ChangedAt, JsonObject Spec);

internal sealed class AiRouteStore(string cluster, TimeProvider time, SandboxChanges changes) : IRemembered
{
    private readonly Lock _lock = new();
    private List<SavedRoute> _routes = [];

    string IRemembered.Key => $"kubernetes/{cluster}/aigatewayroutes";

    public IReadOnlyList<SavedRoute> All()
    {
        lock (_lock)
        {
            if (_routes.Count == 0)
            {
                _routes = [Begin(time.GetUtcNow())];
            }

            return [.. _routes];
        }
    }

    public SavedRoute? Find(string ns, string name) => All().FirstOrDefault(route => route.Namespace == ns && route.Name == name);

    public SavedRoute Change(SavedRoute route, JsonObject spec, DateTimeOffset at)
    {
        lock (_lock)
        {
            // A version is a moment in milliseconds, a time in the status one in seconds. Each change needs a new one.
            var changed = route with
            {
                Spec = spec,
                Generation = route.Generation + 1,
                ChangedAt = at > route.ChangedAt.AddSeconds(1) ? at : route.ChangedAt.AddSeconds(1),
            };
            _routes = [.. _routes.Select(one => one.Uid == route.Uid ? changed : one)];
            changes.Touch();
            return changed;
        }
    }

    public void Reset()
    {
        lock (_lock)
        {
            _routes = [];
            changes.Touch();
        }
    }

    JsonNode? IRemembered.Save() => JsonSerializer.SerializeToNode(All(), SandboxMemory.Json);

    void IRemembered.Load(JsonNode saved) => _routes = saved.Deserialize<List<SavedRoute>>(SandboxMemory.Json)!;

    // With the API server's defaults from the schema: weight 1, priority 0.
    private static SavedRoute Begin(DateTimeOffset now) => new("chat", "assist", Guid
        .NewGuid()
        .ToString(), 1, now.AddHours(-149), now.AddHours(-149), JsonNode.Parse("""
        {
          "parentRefs": [{ "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "assist" }],
          "rules": [
            {
              "name": "gpt-4o",
              "matches": [{ "headers": [{ "type": "Exact", "name": "x-ai-eg-model", "value": "gpt-4o" }] }],
              "backendRefs": [
                { "name": "openai-ptu", "modelNameOverride": "gpt-4o-ptu", "weight": 1, "priority": 0 },
                { "name": "openai-paygo", "modelNameOverride": "gpt-4o-paygo", "weight": 1, "priority": 1 }
              ],
              "modelsOwnedBy": "Envoy AI Gateway"
            },
            {
              "matches": [{ "headers": [{ "type": "Exact", "name": "x-ai-eg-model", "value": "practice-chat" }] }],
              "backendRefs": [{ "name": "chat-vllm", "weight": 1, "priority": 0 }],
              "modelsOwnedBy": "Envoy AI Gateway"
            }
          ]
        }
        """)!.AsObject());
}
