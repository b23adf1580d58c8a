using System.Collections.Concurrent;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>The process is killed by SIGKILL at every write of the whole story, before the commit and after it.</summary>
public sealed class CrashTests
{
    /// <summary>Hosts that are killed at the same time, each again and again on its own data.</summary>
    private const int Parallel = 2;

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
                stories[point] = await CrashStory.TellAsync(host, $"llm-b-{100 + point}");
                survived += host.Crashed ? 0 : 1;
            }
        }));

        stories.Count.ShouldBeGreaterThan(40);
        stories.OrderBy(story => story.Key).Where(story => story.Value != CrashStory.Told).Select(story => $"killed at write point {story.Key}: {story.Value}").ShouldBeEmpty();
    }
}
