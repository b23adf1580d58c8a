using System.Net;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Two processes of the program on one storage account: <c>serve --storage azure</c>.</summary>
public sealed class TwoProcessesTests(Azurite azurite) : IClassFixture<Azurite>
{
    private readonly Random _random = new();

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

        for (var kill = 0; kill < Rounds.Of(1); kill++)
        {
            var (pod, after, victim) = ($"llm-b-{910 + kill}", TimeSpan.FromSeconds(_random.NextDouble() * 5), _random.Next(2));
            var story = CrashStory.TellAsync(both, pod);
            await Task.Delay(after, TestContext.Current.CancellationToken);
            both.Kill(victim);
            (await story).ShouldBe(CrashStory.Told, $"killed {victim} after {after}");
        }
    }
}
