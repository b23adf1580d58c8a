using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Shouldly;
using Xunit;

namespace TestKit.Engine;

public abstract partial class EngineContract
{
    [Fact]
    public async Task CrashWhileWaiting_GoesOnWhereItStoodWithTheSameAnswers()
    {
        var runs = 0;
        var roll = new Activity<int, int>("roll");
        Activities.Add(roll, (_, _) => Task.FromResult(Interlocked.Increment(ref runs)));
        Workflows.Add<int, string>("w", async (context, _) =>
        {
            var first = await context.CallActivityAsync(roll, 0);
            var before = context.UtcNow;
            var came = await context.WaitForExternalEventAsync("go", Unit * 30);
            return $"{first} {came} {(context.UtcNow - before) >= Unit * 2} {await context.CallActivityAsync(roll, 0)}";
        });
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("w", "i", 0);
        await engine.AdvanceAsync(Unit * 3);

        await engine.CrashAsync();
        await engine.RaiseAsync("i", "go");

        (await engine.WaitForEndAsync("i")).Result<string>().ShouldBe("1 True True 2");
    }

    [Fact]
    public async Task TimerThatIsPendingAtACrash_FiresAfterIt()
    {
        Workflows.Add<int, int>("w", async (context, n) =>
        {
            await context.CreateTimerAsync(Unit * 5);
            return n;
        });
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("w", "i", 5);
        await engine.AdvanceAsync(Unit);

        await engine.CrashAsync();
        await engine.AdvanceAsync(Unit * 5);

        (await engine.WaitForEndAsync("i")).Result<int>().ShouldBe(5);
    }

    [Fact]
    public async Task EarlyEventBeforeACrash_IsStillThereAfterIt()
    {
        Workflows.Add<int, bool>("w", async (context, _) =>
        {
            await context.CreateTimerAsync(Unit);
            return await context.WaitForExternalEventAsync("early", Unit);
        });
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("w", "i", 0);
        await engine.SettleAsync();
        await engine.RaiseAsync("i", "early");

        await engine.CrashAsync();
        await engine.AdvanceAsync(Unit * 2);

        (await engine.WaitForEndAsync("i")).Result<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task Replay_GivesTheSameTimesAndLogsNothingTwice()
    {
        Workflows.Add<int, DateTimeOffset[]>("w", async (context, _) =>
        {
            var times = new List<DateTimeOffset> { context.UtcNow };
            context.Logger.Log(LogLevel.Information, default, "begun", null, (text, _) => text);
            await context.CreateTimerAsync(Unit);
            times.Add(context.UtcNow);
            context.Logger.Log(LogLevel.Information, default, "waited", null, (text, _) => text);
            var echoed = await context.CallActivityAsync(Echo, DurableJson.Write(times));
            await context.CreateTimerAsync(Unit);
            return [.. times, .. DurableJson.Read<DateTimeOffset[]>(echoed)!];
        });
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("w", "i", 0);
        await engine.AdvanceAsync(Unit * 1.5);

        await engine.CrashAsync();
        await engine.AdvanceAsync(Unit);

        var times = (await engine.WaitForEndAsync("i")).Result<DateTimeOffset[]>();
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
        var slow = new Activity<int, int>("slow");
        Activities.Add(slow, async (n, _) =>
        {
            if (Interlocked.Increment(ref runs) == 1)
            {
                begun.SetResult();
                await gate.Task;
            }

            return n;
        });
        Workflows.Add<int, int>("w", (context, n) => context.CallActivityAsync(slow, n));
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("w", "i", 9);
        await begun.Task;

        await engine.CrashAsync();
        (await engine.WaitForEndAsync("i")).Result<int>().ShouldBe(9);
        gate.SetResult();
        await engine.SettleAsync();

        runs.ShouldBe(2);
    }
}
