using Runbooks.Orchestration.TaskHub;
using Runbooks.Sqlite.DurableTask;
using TestKit.Orchestration;

namespace Runbooks.Sqlite.Tests.DurableTask;

/// <summary>The host is killed at every commit of a story, before it and after it, and must tell the same story.</summary>
public sealed class KilledAtAnyCommitTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task KilledAtAnyCommit_TheStoryEndsTheSame(bool sessions)
    {
        var (told, commits) = await TellAsync(sessions, killAt: null);
        told.ShouldBe("0,2,4,6 approved in time after 3 acted reminded False, 2 rounds");
        commits.ShouldBeGreaterThan(8);

        for (var kill = 0; kill < commits * 2; kill++)
        {
            (await TellAsync(sessions, kill)).Told.ShouldBe(told, $"killed at point {kill}");
        }
    }

    private static async Task<(string Told, int Commits)> TellAsync(bool sessions, int? killAt)
    {
        var points = 0;
        await using var hub = await SqliteHub.OpenAsync(Tasks(), options: new SqliteTaskHubOptions { ExtendedSessions = sessions });
        hub.KillAt = _ => points++ == killAt;
        var begin = hub.Time.GetUtcNow();

        await hub.DoAsync(h => h.StartAsync("story", "i", new Story(4, 1)));
        await hub.DoAsync(h => h.AdvanceAsync(begin + (s_minute * 3) - h.Time.GetUtcNow()));
        await hub.DoAsync(h => h.RaiseAsync("i", "approval-1"));
        await hub.DoAsync(h => h.AdvanceAsync(begin + (s_minute * 40) - h.Time.GetUtcNow()));
        await hub.DoAsync(async h => await h.WaitForEndAsync("i"));
        return ((await hub.WaitForEndAsync("i")).Result<string>(), (points + 1) / 2);
    }

    private static TaskHubTasks Tasks() => new TaskHubTasks()
        .Activity<int, int>("check", n => Task.FromResult(n * 2))
        .Activity<string, int>("act", name => Task.FromResult(name.Length))
        .Orchestrator<Story, string>("story", async (context, story) =>
        {
            if (story.Told is not null)
            {
                await context.CallActivityAsync("act", "close");
                return $"{story.Told}, {story.Round} rounds";
            }

            var found = await Task.WhenAll(Enumerable.Range(0, story.Checks).Select(i => context.CallActivityAsync<int>("check", i)));
            var begin = context.CurrentUtcDateTime;
            var approved = await context.CameAsync("approval-1", s_minute * 10);
            var after = (context.CurrentUtcDateTime - begin) / s_minute;
            await context.CallActivityAsync("act", "recycle", FuncTasks.Retry(3, s_minute));
            await context.CreateTimer(s_minute, CancellationToken.None);
            var reminded = await context.CameAsync("approval-2", s_minute);
            context.ContinueAsNew(story with
            {
                Round = 2,
                Told = $"{string.Join(',', found)} {(approved ? "approved in time" : "expired")} after {after} acted reminded {reminded}",
            });
            return "";
        });

    private sealed record Story(int Checks, int Round, string? Told = null);
}
