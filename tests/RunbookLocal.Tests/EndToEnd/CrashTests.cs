using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;

namespace RunbookLocal.Tests.EndToEnd;

/// <summary>The process is killed by SIGKILL at every write of the whole story, before the commit and after it.</summary>
public sealed class CrashTests
{
    /// <summary>Hosts that are killed at the same time, each again and again on its own data.</summary>
    private const int Parallel = 2;

    private const string Told =
        "resolved; gpu-memory failing, zombie failing; mitigation-1 approved by ada approve; recycle done, ticket done; gpu-memory passing, zombie passing; 1 incident, 1 recycled, logs kept";

    [Fact]
    public async Task KilledAtAnyWrite_TheStoryEndsTheSame()
    {
        var stories = new ConcurrentDictionary<int, string>();
        await Task.WhenAll(Enumerable.Range(0, Parallel).Select(async first =>
        {
            await using var host = await CrashingHost.StartAsync();

            // Some writes come after the end that everybody sees: one story that was not cut off is not the last point yet.
            var survived = 0;
            for (var point = first; survived < 3; point += Parallel)
            {
                await host.ArmAsync(point);
                stories[point] = await TellAsync(host, $"llm-b-{100 + point}");
                survived += host.Crashed ? 0 : 1;
            }
        }));

        stories.Count.ShouldBeGreaterThan(40);
        stories.OrderBy(story => story.Key).Where(story => story.Value != Told).Select(story => $"killed at write point {story.Key}: {story.Value}").ShouldBeEmpty();
    }

    private static async Task<string> TellAsync(CrashingHost host, string pod)
    {
        var deletions = (await PracticeView.OfAsync(host.Range)).Deletions;
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
            + $"{(await PracticeView.OfAsync(host.Range)).Deletions - deletions} recycled, "
            + $"{(ended["steps"]![0]!["evidence"]!.AsArray().Count > 0 ? "logs kept" : "no logs")}";
    }

    private static string Finding(JsonNode finding) => $"{finding["name"]} {finding["verdict"]}";

    private static string List(JsonNode items, Func<JsonNode, string> write) => string.Join(", ", items.AsArray().Select(item => write(item!)));
}
