using System.Net;
using System.Text.Json.Nodes;
using Runbooks.Sandbox;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Hosts that die in the middle of things. The sandbox lives in the test: what was done to it outlives them.</summary>
internal interface ICrashingHost
{
    SandboxServer Range { get; }

    /// <summary>Tries until it works, as a sender does.</summary>
    Task<T> UntilAsync<T>(Func<HostClient, Task<T?>> attempt)
        where T : class;
}

/// <summary>The story of the hung GPU, told to its end whatever dies meanwhile.</summary>
internal static class CrashStory
{
    public const string Told =
        "resolved; stalled failing, zombie passing, gpu-memory failing; mitigation-1 approved by ada approve; recycle done, ticket done; stalled passing, zombie passing; 1 incident, 1 recycled, logs kept";

    public static async Task<string> TellAsync(ICrashingHost host, string pod)
    {
        var deletions = (await SandboxView.OfAsync(host.Range)).Deletions;
        var alert = SomeAlert.Stuck(pod);
        var id = await host.UntilAsync(async client =>
            await client.PostAsync("api/alerts/alertmanager", alert) is (HttpStatusCode.Accepted, var answer) ? answer!["incidents"]![0]!["id"]!.ToString() : null);

        // Every answer but these is one that a person would not take for one.
        await host.UntilAsync(async client =>
            await client.DecideAsync(id, "approve") is (HttpStatusCode.OK or HttpStatusCode.Conflict, { } answer) && answer["decidedBy"] is JsonArray { Count: > 0 } by ? by : null);
        var ended = await host.UntilAsync(async client => await client.GetAsync($"api/incidents/{id}?waitFor=final&timeout=20") is var incident && incident["final"]!.GetValue<bool>() ? incident : null);
        var all = await host.UntilAsync<JsonNode>(async client => await client.GetAsync("api/incidents?limit=100"));

        var gate = ended["gates"]!.AsArray().Select(each => $"{each!["id"]} {each["outcome"]} by {List(each["decisions"]!, decision => $"{decision["by"]} {decision["decision"]}")}");
        return $"{ended["state"]}; {List(ended["findings"]!, Finding)}; {string.Join(", ", gate)}; {List(ended["steps"]!, step => $"{step["name"]} {step["status"]}")}; "
            + $"{List(ended["verification"]!, Finding)}; {all["incidents"]!.AsArray().Count(incident => $"{incident!["target"]}" == $"{ended["target"]}")} incident, "
            + $"{(await SandboxView.OfAsync(host.Range)).Deletions - deletions} recycled, "
            + $"{(ended["steps"]![0]!["evidence"]!.AsArray().Count > 0 ? "logs kept" : "no logs")}";
    }

    private static string Finding(JsonNode finding) => $"{finding["name"]} {finding["verdict"]}";

    private static string List(JsonNode items, Func<JsonNode, string> write) => string.Join(", ", items.AsArray().Select(item => write(item!)));
}
