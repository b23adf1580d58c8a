using System.Collections.Concurrent;
using System.Globalization;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>The process is killed by SIGKILL at every write of the whole story, before the commit and after it.</summary>
public sealed class CrashTests(Azurite azurite) : IClassFixture<Azurite>
{
    /// <summary>How many write points of the storage account lie between two kills; 1 by hand, for each of them.</summary>
    private const string Stride = "CRASH_STRIDE";

    /// <summary>Hosts that are killed at the same time, each again and again on its own data.</summary>
    private const int Parallel = 2;

    [Fact]
    public async Task KilledAtAnyWriteOfItsDatabase_TheStoryEndsTheSame()
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
                stories[point] = await CrashStory.TellAsync(host, $"llm-b-{100 + point}");
                survived += host.Crashed ? 0 : 1;
            }
        }));

        ShouldAllBeTold(stories, atLeast: 40);
    }

    [Fact]
    public async Task KilledAtAWriteToItsStorageAccount_TheStoryEndsTheSame()
    {
        var stride = int.Parse(Environment.GetEnvironmentVariable(Stride) ?? "37", CultureInfo.InvariantCulture);
        var stories = new ConcurrentDictionary<int, string>();
        await using var host = await CrashingHost.StartAsync(azurite.ConnectionString);
        var survived = 0;

        // Queues and history are cleared up after the end that everybody sees, by writes whose number differs a little.
        for (var point = Random.Shared.Next(stride); survived < 3; point += stride)
        {
            await host.ArmAsync(point);
            stories[point] = await CrashStory.TellAsync(host, $"llm-b-{1_000 + point}");
            survived += host.Crashed ? 0 : 1;
        }

        ShouldAllBeTold(stories, atLeast: 5);
    }

    private static void ShouldAllBeTold(ConcurrentDictionary<int, string> stories, int atLeast)
    {
        stories.Count.ShouldBeGreaterThan(atLeast);
        stories.OrderBy(story => story.Key).Where(story => story.Value != CrashStory.Told).Select(story => $"killed at write point {story.Key}: {story.Value}").ShouldBeEmpty();
    }
}
