using System.Collections.Concurrent;
using Runbooks.Orchestration.TaskHub;
using TestKit;
using TestKit.Orchestration;

namespace Runbooks.AzureStorage.Tests.TaskHub;

/// <summary>Two workers on one hub, of which one is cut off at a random moment, and then the other.</summary>
public sealed class TwoWorkersTests(Azurite azurite)
{
    private const int Instances = 24;

    private readonly ConcurrentBag<int> _ran = [];

    [Fact]
    public async Task WorkSpreads_AndThatOfTheDeadIsDoneByTheOther()
    {
        var seed = Rounds.Seed();
        var random = new Random(seed);
        await using var first = await AzureHub.OpenAsync(azurite, Tasks(1));
        await using var second = await first.JoinAsync(Tasks(2));

        // Long enough for the second to get its share of the partitions.
        await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * 4), TestContext.Current.CancellationToken);
        await Task.WhenAll(Enumerable.Range(0, Instances).Select(n => second.StartAsync("w", $"i{n}", n)));
        var cutFirst = TimeSpan.FromSeconds(random.NextDouble() * 3);
        await Task.Delay(cutFirst, TestContext.Current.CancellationToken);
        await first.CutAsync();
        await first.OpenAsync();
        var cutSecond = TimeSpan.FromSeconds(random.NextDouble() * 8);
        await Task.Delay(cutSecond, TestContext.Current.CancellationToken);
        await second.CutAsync();

        // An event for an instance that has not begun may be dropped.
        var ends = await Task.WhenAll(Enumerable.Range(0, Instances).Select(async n =>
        {
            await Patience.UntilAsync(async () => await first.CustomStatusAsync($"i{n}") is "\"waits\"", () => $"i{n} does not wait.", TimeSpan.FromMilliseconds(100));
            await first.RaiseAsync($"i{n}", "go");
            return (await first.WaitForEndAsync($"i{n}")).Result<string>();
        }));

        ends.ShouldBe(Enumerable.Range(0, Instances).Select(n => $"{n + 6} True"), $"seed {seed}: cut after {cutFirst}, and {cutSecond}");
        _ran.Distinct().Order().ShouldBe([1, 2]);
    }

    private TaskHubTasks Tasks(int worker) => new TaskHubTasks()
        .Activity<int, int>("next", async n =>
        {
            _ran.Add(worker);
            await Task.Delay(100);
            return n + 1;
        })
        .Orchestrator<int, string>("w", async (context, n) =>
        {
            foreach (var _ in Enumerable.Range(0, 3))
            {
                n = await context.CallActivityAsync<int>("next", n);
            }

            await context.CreateTimer(AzureHub.Unit, CancellationToken.None);
            n += (await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => context.CallActivityAsync<int>("next", 0)))).Sum();
            context.SetCustomStatus("waits");
            return $"{n} {await context.CameAsync("go", AzureHub.Unit * 600)}";
        });
}
