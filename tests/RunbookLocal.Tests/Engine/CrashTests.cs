using Microsoft.Extensions.Logging.Abstractions;
using RunbookLocal.Engine;
using Runbooks.Sqlite;
using Runbooks.Engine;
using TestKit.Engine;

namespace RunbookLocal.Tests.Engine;

/// <summary>The engine is killed at every commit of a story, before it and after it, and must tell the same story.</summary>
public sealed class CrashTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly Activity<int, int> Check = new("check");
    private static readonly Activity<string, int> Act = new("act");

    [Theory]
    [InlineData(0)]
    [InlineData(1_000)]
    public async Task KilledAtAnyCommit_TheStoryEndsTheSame(int waitingInMemory)
    {
        var (told, commits) = await TellAsync(waitingInMemory, killAt: null);
        told.ShouldBe("0,2,4,6 approved in time after 3 acted reminded False");
        commits.ShouldBeGreaterThan(6);

        for (var kill = 0; kill < commits * 2; kill++)
        {
            (await TellAsync(waitingInMemory, kill)).Told.ShouldBe(told, $"killed at point {kill}");
        }
    }

    private static async Task<(string Told, int Commits)> TellAsync(int waitingInMemory, int? killAt)
    {
        var points = 0;
        await using var host = await JournalHarness.OpenAsync(
            Workflows(), Activities(), NullLoggerFactory.Instance, new JournalOptions { MaxWaitingInMemory = waitingInMemory });
        host.KillAt = _ => points++ == killAt;
        var begin = host.Time.GetUtcNow();

        await host.DoAsync(h => h.StartAsync("story", "i", 4));
        await host.DoAsync(h => h.AdvanceAsync(begin + (Minute * 3) - h.Time.GetUtcNow()));
        await host.DoAsync(h => h.RaiseAsync("i", "approval-1"));
        await host.DoAsync(h => h.AdvanceAsync(begin + (Minute * 20) - h.Time.GetUtcNow()));
        await host.DoAsync(async h => await h.WaitForEndAsync("i"));
        return ((await host.WaitForEndAsync("i")).Result<string>(), (points + 1) / 2);
    }

    private static WorkflowTable Workflows() => new WorkflowTable().Add<int, string>("story", async (context, n) =>
    {
        var found = await Task.WhenAll(Enumerable.Range(0, n).Select(i => context.CallActivityAsync(Check, i)));
        var begin = context.UtcNow;
        var approved = await context.WaitForExternalEventAsync("approval-1", Minute * 10);
        var after = (context.UtcNow - begin) / Minute;
        await context.CallActivityAsync(Act, "recycle", new RetryPolicy(3, Minute));
        await context.CreateTimerAsync(Minute);
        var reminded = await context.WaitForExternalEventAsync("approval-2", Minute);
        return $"{string.Join(',', found)} {(approved ? "approved in time" : "expired")} after {after} acted reminded {reminded}";
    });

    private static ActivityTable Activities() => new ActivityTable()
        .Add(Check, (n, _) => Task.FromResult(n * 2))
        .Add(Act, (name, _) => Task.FromResult(name.Length));
}
