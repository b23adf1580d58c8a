using System.Globalization;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>The host dies at a write of the whole story, before the commit or after it, and the story ends the same.</summary>
public sealed class CrashTests(Azurite azurite) : IClassFixture<Azurite>
{
    /// <summary>How many write points lie between two ends; 1 by hand and once a week, for each of them.</summary>
    private const string Stride = "CRASH_STRIDE";

    [Fact]
    public async Task DatabaseStopsAtAWrite_TheStoryEndsTheSame()
    {
        await using var host = await DyingHost.StartAsync();
        var stories = await TellAllAsync(host, () => host.Crashed, StrideOr(6), point =>
        {
            host.Arm(point);
            return Task.CompletedTask;
        });

        ShouldAllBeTold(stories, atLeast: 6);
    }

    [Theory]
    [InlineData(false, 37, 2)]
    [InlineData(true, 97, 2)]
    public async Task ProcessKilledAtAWrite_TheStoryEndsTheSame(bool account, int usual, int atLeast)
    {
        await using var host = await CrashingHost.StartAsync(account ? azurite.ConnectionString : null);

        ShouldAllBeTold(await TellAllAsync(host, () => host.Crashed, StrideOr(usual), host.ArmAsync), atLeast);
    }

    private static int StrideOr(int usual) => int.TryParse(Environment.GetEnvironmentVariable(Stride), CultureInfo.InvariantCulture, out var asked) ? asked : usual;

    /// <summary>Some writes come after the end that everybody sees: one story that was not cut off is not the last point yet.</summary>
    private static async Task<Dictionary<int, string>> TellAllAsync(ICrashingHost host, Func<bool> crashed, int stride, Func<int, Task> arm)
    {
        var (stories, survived) = (new Dictionary<int, string>(), 0);
        for (var point = Rounds.Seed() % stride; survived < (stride == 1 ? 3 : 1); point += stride)
        {
            await arm(point);
            stories[point] = await CrashStory.TellAsync(host, $"llm-b-{100 + point}");
            survived += crashed() ? 0 : 1;
        }

        return stories;
    }

    private static void ShouldAllBeTold(Dictionary<int, string> stories, int atLeast)
    {
        stories.Count.ShouldBeGreaterThanOrEqualTo(atLeast);
        stories.OrderBy(story => story.Key).Where(story => story.Value != CrashStory.Told).Select(story => $"killed at write point {story.Key}: {story.Value}").ShouldBeEmpty();
    }
}
