using Runbooks.Engine;
using Shouldly;
using Xunit;

namespace TestKit.Engine;

public abstract partial class EngineContract
{
    [Fact]
    public async Task Timer_FiresWhenItsTimeHasComeAndNotBefore()
    {
        Workflows.Add<int, double>("w", async (context, n) =>
        {
            var begin = context.UtcNow;
            await context.CreateTimerAsync(Unit * n);
            return (context.UtcNow - begin) / Unit;
        });
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("w", "i", 4);

        await engine.AdvanceAsync(Unit * 2);
        (await engine.StatusAsync("i")).ShouldBe(EngineStatus.Running);
        await engine.AdvanceAsync(Unit * 3);

        (await engine.WaitForEndAsync("i")).Result<double>().ShouldBe(4, 0.5);
    }

    [Fact]
    public async Task EventInTime_EndsTheWaitWhateverTheCaseOfItsName()
    {
        WaitOnce();
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("wait", "i", "Decision-1");
        await engine.SettleAsync();

        await engine.RaiseAsync("i", "dECISION-1");

        (await engine.WaitForEndAsync("i")).Result<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task NoEventInTime_EndsTheWaitWithFalse()
    {
        WaitOnce();
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("wait", "i", "decision");
        await engine.SettleAsync();

        await engine.RaiseAsync("i", "something else");
        await engine.AdvanceAsync(Unit * 6);

        (await engine.WaitForEndAsync("i")).Result<bool>().ShouldBeFalse();
    }

    [Fact]
    public async Task EventThatComesEarly_IsKeptForTheWait()
    {
        Workflows.Add<int, bool[]>("w", async (context, _) =>
        {
            await context.CreateTimerAsync(Unit);
            return [await context.WaitForExternalEventAsync("early", Unit), await context.WaitForExternalEventAsync("never", Unit)];
        });
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("w", "i", 0);
        await engine.SettleAsync();

        await engine.RaiseAsync("i", "early");
        await engine.AdvanceAsync(Unit * 3);

        (await engine.WaitForEndAsync("i")).Result<bool[]>().ShouldBe([true, false]);
    }

    [Fact]
    public async Task TwoWaitsAtOnce_AreAnsweredEachByItsOwnEvent()
    {
        Workflows.Add<int, bool[]>("w", (context, _) => Task.WhenAll(
            context.WaitForExternalEventAsync("a", Unit * 5), context.WaitForExternalEventAsync("b", Unit)));
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("w", "i", 0);

        await engine.AdvanceAsync(Unit * 2);
        await engine.RaiseAsync("i", "a");

        (await engine.WaitForEndAsync("i")).Result<bool[]>().ShouldBe([true, false]);
    }

    [Fact]
    public async Task TimerBesideAnActivity_WhicheverComesFirstIsSeenFirst()
    {
        var gate = new TaskCompletionSource();
        var slow = new Activity<int, int>("slow");
        Activities.Add(slow, async (n, _) =>
        {
            await gate.Task;
            return n;
        });
        Workflows.Add<int, string>("w", async (context, n) =>
        {
            var reminded = context.WaitForExternalEventAsync("hurry", Unit * 60);
            var work = context.CallActivityAsync(slow, n);
            var first = await Task.WhenAny(reminded, work);
            var word = first == work ? "work" : "hurry";
            await work;
            return word;
        });
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("w", "i", 0);

        await engine.RaiseAsync("i", "hurry");
        gate.SetResult();

        (await engine.WaitForEndAsync("i")).Result<string>().ShouldBe("hurry");
    }

    private void WaitOnce() =>
        Workflows.Add<string, bool>("wait", (context, name) => context.WaitForExternalEventAsync(name, Unit * 5));
}
