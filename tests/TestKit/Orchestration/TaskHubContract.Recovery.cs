using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Shouldly;
using Xunit;

namespace TestKit.Orchestration;

/// <summary>What a crash leaves.</summary>
public abstract class TaskHubRecoveryContract(TaskHubBackend backend) : TaskHubContract(backend)
{
    [Fact]
    public async Task CrashWhileWaiting_GoesOnWhereItStoodWithTheSameAnswers()
    {
        var runs = 0;
        Tasks.Activity<int, int>("roll", _ => Task.FromResult(Interlocked.Increment(ref runs)));
        Tasks.Orchestrator<int, string>("w", async (context, _) =>
        {
            var first = await context.CallActivityAsync<int>("roll", 0);
            var before = context.CurrentUtcDateTime;
            var came = await context.CameAsync("go", Unit * 600);
            return $"{first} {came} {(context.CurrentUtcDateTime - before) >= Unit * 2} {await context.CallActivityAsync<int>("roll", 0)}";
        });
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 0);
        await hub.SettleAsync();
        await hub.AdvanceAsync(Unit * 3);

        await hub.CrashAsync();
        await hub.RaiseAsync("i", "go");

        (await hub.WaitForEndAsync("i")).Result<string>().ShouldBe("1 True True 2");
    }

    [Fact]
    public async Task TimerThatIsPendingAtACrash_FiresAfterIt()
    {
        Tasks.Orchestrator<int, int>("w", async (context, n) =>
        {
            await context.CreateTimer(Unit * 5, CancellationToken.None);
            return n;
        });
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 5);
        await hub.AdvanceAsync(Unit);

        await hub.CrashAsync();
        await hub.AdvanceAsync(Unit * 5);

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(5);
    }

    [Fact]
    public async Task EarlyEventBeforeACrash_IsStillThereAfterIt()
    {
        Tasks.Orchestrator<int, bool>("w", async (context, _) =>
        {
            await context.CreateTimer(Unit, CancellationToken.None);
            return await context.CameAsync("early", Unit * 600);
        });
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 0);
        await hub.SettleAsync();
        await hub.RaiseAsync("i", "early");

        await hub.CrashAsync();
        await hub.AdvanceAsync(Unit * 2);

        (await hub.WaitForEndAsync("i")).Result<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task Replay_GivesTheSameTimesAndLogsNothingTwice()
    {
        Tasks.Orchestrator<int, DateTime[]>("w", async (context, _) =>
        {
            var logger = context.CreateReplaySafeLogger("story");
            var times = new List<DateTime> { context.CurrentUtcDateTime };
            logger.Log(LogLevel.Information, default, "begun", null, (text, _) => text);
            await context.CreateTimer(Unit, CancellationToken.None);
            times.Add(context.CurrentUtcDateTime);
            logger.Log(LogLevel.Information, default, "waited", null, (text, _) => text);
            var echoed = await context.CallActivityAsync<string>("echo", DurableJson.Write(times));
            await context.CameAsync("go", Unit * 600);
            return [.. times, .. DurableJson.Read<DateTime[]>(echoed)!];
        });
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 0);
        await hub.AdvanceAsync(Unit * 1.5);
        await hub.SettleAsync();

        await hub.CrashAsync();
        await hub.RaiseAsync("i", "go");

        var times = (await hub.WaitForEndAsync("i")).Result<DateTime[]>();
        times[..2].ShouldBe(times[2..]);
        Logs.Lines.Count(line => line == "Information: begun").ShouldBe(1);
        Logs.Lines.Count(line => line == "Information: waited").ShouldBe(1);
    }

    [Fact]
    public async Task ActivityThatRanAtACrash_RunsAgain()
    {
        var begun = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var runs = 0;
        Tasks.Activity<int, int>("slow", async n =>
        {
            if (Interlocked.Increment(ref runs) == 1)
            {
                begun.SetResult();
                await gate.Task;
            }

            return n;
        });
        Tasks.Orchestrator<int, int>("w", (context, n) => context.CallActivityAsync<int>("slow", n));
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 9);
        await begun.Task;

        await hub.CrashAsync();
        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(9);
        gate.SetResult();
        await hub.SettleAsync();

        // Where a lock may lapse on a slow machine, more often.
        runs.ShouldBeInRange(2, Late < 1 ? 2 : int.MaxValue);
    }
}
