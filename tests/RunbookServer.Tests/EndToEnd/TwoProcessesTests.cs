using System.Net;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Two processes of the program on one storage account: <c>serve --storage azure</c>.</summary>
public sealed class TwoProcessesTests(Azurite azurite) : IClassFixture<Azurite>
{
    [Fact]
    public async Task AnyOfThem_AnswersDecidesAndTakesOver()
    {
        await using var both = await TwoProcesses.StartAsync(azurite.ConnectionString);
        both.ApiKey(0).ShouldBe(both.ApiKey(1));

        // What one of them opened, the other one shows and decides; a link works at either.
        var id = (await both.Client(0).StuckAsync("llm-b-900"))["id"]!.ToString();
        (await both.Client(1).StuckAsync("llm-b-900"))["outcome"]!.ToString().ShouldBe("folded");
        await both.Client(1).WaitForAsync(id, "awaitingApproval");
        var link = await both.LinkAsync(id);
        foreach (var n in (int[])[0, 1])
        {
            (await both.Client(n).Http.GetAsync(new Uri($"incidents/{id}", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await both.Client(n).Http.GetAsync(new Uri(link, UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        (await both.Client(1).DecideAsync(id, "approve")).Status.ShouldBe(HttpStatusCode.OK);
        await both.Client(0).WaitForAsync(id, "resolved");
        (await both.Client(0).DecideAsync(id, "reject", "grace")).Status.ShouldBe(HttpStatusCode.Conflict);

        // The pod takes seconds to go: one of them is killed while the step waits for that, and the other one ends the story, alone at first.
        var seed = Rounds.Seed();
        var random = new Random(seed);
        for (var kill = 0; kill < Rounds.Of(1); kill++)
        {
            var (pod, victim, forGood) = ($"llm-b-{910 + kill}", random.Next(2), kill % 2 == 0);
            var story = CrashStory.TellAsync(both, pod);
            await Patience.UntilAsync(async () => story.IsCompleted || await IsRunningAsync(both.Client(1 - victim), pod), () => "The step does not begin.", TimeSpan.FromMilliseconds(50));
            both.Kill(victim, forGood);
            (await story).ShouldBe(CrashStory.Told, $"seed {seed}: killed {victim}{(forGood ? " for good" : "")}");
            both.Revive(victim);
        }
    }

    private static async Task<bool> IsRunningAsync(HostClient client, string pod)
    {
        var all = await client.GetAsync("api/incidents?limit=100");
        var id = all["incidents"]!.AsArray().FirstOrDefault(incident => $"{incident!["target"]}".EndsWith(pod, StringComparison.Ordinal))?["id"];
        return id is not null && (await client.GetAsync($"api/incidents/{id}"))["steps"]!.AsArray() is [{ } first, ..] && $"{first["status"]}" == "running";
    }
}
