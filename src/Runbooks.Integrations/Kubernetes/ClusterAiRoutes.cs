using k8s;

namespace Runbooks.Integrations.Kubernetes;

internal sealed class ClusterAiRoutes(ClusterCalls calls)
{
    public const string Role = "Azure Kubernetes Service RBAC Cluster Admin, or a Kubernetes role with: "
        + "get and patch aigatewayroutes.aigateway.envoyproxy.io";

    private const string Group = "aigateway.envoyproxy.io";
    private const string Plural = "aigatewayroutes";

    // Before 1.0 only the older one exists; both have the same fields here.
    private static readonly string[] s_versions = ["v1beta1", "v1alpha1"];
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(30);

    public string Cluster => calls.Cluster;

    public async Task<JsonObject?> FindAsync(string ns, string name, CancellationToken cancellationToken)
    {
        foreach (var version in s_versions)
        {
            var found = await calls.FindAsync(
                $"get the AI gateway route {ns}/{name}",
                async client => JsonSerializer.SerializeToNode(
                    await client.CustomObjects.GetNamespacedCustomObjectAsync(Group, version, ns, Plural, name, cancellationToken))!.AsObject(),
                cancellationToken);
            if (found is not null)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>Writes the rules of exactly the route that was read.</summary>
    public Task<bool> PatchAsync(JsonObject read, JsonArray rules, string what, CancellationToken cancellationToken)
    {
        var (metadata, version) = (read["metadata"]!, ((string)read["apiVersion"]!).Split('/')[1]);
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["uid"] = metadata["uid"]!.DeepClone(),
                ["resourceVersion"] = metadata["resourceVersion"]!.DeepClone(),
            },
            ["spec"] = new JsonObject { ["rules"] = rules },
        };
        var (ns, name) = ((string)metadata["namespace"]!, (string)metadata["name"]!);
        return calls.PatchAsync(
            $"{what} the AI gateway route {ns}/{name}",
            patch,
            (client, body) => client.CustomObjects.PatchNamespacedCustomObjectAsync(
                body, Group, version, ns, Plural, name, cancellationToken: cancellationToken),
            cancellationToken);
    }

    /// <summary>
    /// The route once the gateway's controller has looked at it again. The controller writes its condition again each time, without
    /// the version that it saw (its <c>internal/controller/controller.go</c>, newConditions).
    /// </summary>
    public async Task<(JsonObject? Route, bool Confirmed)> SettledAsync(
        JsonObject before, string ns, string name, TimeProvider time, CancellationToken cancellationToken)
    {
        var until = time.GetUtcNow() + s_longestWait;
        while (true)
        {
            JsonObject? route;
            try
            {
                route = await FindAsync(ns, name, cancellationToken);
            }
            catch (Exception unread) when (unread is ClusterException or StepRefusedException && time.GetUtcNow() < until)
            {
                // The route is written, whether or not this read of it succeeds.
                await Task.Delay(s_pause, time, cancellationToken);
                continue;
            }
            catch (StepRefusedException refused)
            {
                // The change is made, so this is no refusal of the step.
                throw new ClusterException(refused.Message, refused);
            }

            var condition = route is null ? null : Condition(route);
            var confirmed = condition is not null
                && (string?)condition["lastTransitionTime"] != (string?)Condition(before)?["lastTransitionTime"];
            if (confirmed && (string?)condition!["type"] == "NotAccepted")
            {
                throw new StepRefusedException($"The AI gateway does not accept the route {ns}/{name} as it is now: "
                    + $"{(string?)condition["message"]}");
            }

            if (confirmed || route is null || time.GetUtcNow() >= until)
            {
                return (route, confirmed);
            }

            await Task.Delay(s_pause, time, cancellationToken);
        }
    }

    private static JsonObject? Condition(JsonObject route) =>
        (route["status"]?["conditions"] as JsonArray)?.OfType<JsonObject>().LastOrDefault();

    public async Task<string?> CheckPermissionsAsync(string ns, string name, CancellationToken cancellationToken) =>
        await calls.MayAsync("patch", new(Group, Plural, null, ns, name), cancellationToken)
            ? null
            : calls.MissingPermission($"change the AI gateway route {ns}/{name}");
}
