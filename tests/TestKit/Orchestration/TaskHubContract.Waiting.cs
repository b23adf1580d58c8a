using Runbooks.Engine;
using Shouldly;
using Xunit;

namespace TestKit.Orchestration;

/// <summary>Timers and events.</summary>
public abstract class TaskHubWaitingContract(TaskHubBackend backend) : TaskHubContract(backend)
{
    [Fact]
    public async Task Timer_FiresWhenItsTimeHasComeAndNotBefore()
    {
        Tasks.Orchestrator<int, double>("w", async (context, n) =>
        {
            var begin = context.CurrentUtcDateTime;
            await context.CreateTimer(Unit * n, CancellationToken.None);
            return (context.CurrentUtcDateTime - begin) / Unit;
        });
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 4);

        await hub.AdvanceAsync(Unit * 2);
        if (Late < 1)
        {
            // Where time is real, a slow machine may look after it has fired.
            (await hub.StatusAsync("i")).ShouldBe(EngineStatus.Running);
        }

        await hub.AdvanceAsync(Unit * 3);

        (await hub.WaitForEndAsync("i")).Result<double>().ShouldBeInRange(4, 4 + Late);
    }

    [Fact]
    public async Task EventInTime_EndsTheWaitWhateverTheCaseOfItsName()
    {
        WaitOnce(Unit * 600);
        await using var hub = await StartHubAsync();
        await hub.StartAsync("wait", "i", "Decision-1");
        await hub.SettleAsync();

        await hub.RaiseAsync("i", "dECISION-1");

        (await hub.WaitForEndAsync("i")).Result<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task NoEventInTime_EndsTheWaitWithFalse()
    {
        WaitOnce(Unit * 5);
        await using var hub = await StartHubAsync();
        await hub.StartAsync("wait", "i", "decision");
        await hub.SettleAsync();

        await hub.RaiseAsync("i", "something else");
        await hub.AdvanceAsync(Unit * 6);

        (await hub.WaitForEndAsync("i")).Result<bool>().ShouldBeFalse();
    }

    [Fact]
    public async Task EventThatComesEarly_IsKeptForTheWait()
    {
        Tasks.Orchestrator<int, bool[]>("w", async (context, _) =>
        {
            await context.CreateTimer(Unit, CancellationToken.None);
            return [await context.CameAsync("early", Unit * 600), await context.CameAsync("never", Unit)];
        });
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 0);
        await hub.SettleAsync();

        await hub.RaiseAsync("i", "early");
        await hub.AdvanceAsync(Unit * 3);

        (await hub.WaitForEndAsync("i")).Result<bool[]>().ShouldBe([true, false]);
    }

    [Fact]
    public async Task TwoWaitsAtOnce_AreAnsweredEachByItsOwnEvent()
    {
        Tasks.Orchestrator<int, bool[]>("w", (context, _) => Task.WhenAll(context.CameAsync("a", Unit * 600), context.CameAsync("b", Unit)));
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 0);
        await FirstTurnAsync(hub, "i");

        await hub.AdvanceAsync(Unit * 2);
        await hub.RaiseAsync("i", "a");

        (await hub.WaitForEndAsync("i")).Result<bool[]>().ShouldBe([true, false]);
    }

    [Fact]
    public async Task EventsThatComeWhileTurnsAreCommitted_AllArrive()
    {
        const int Count = 100;
        Tasks.Orchestrator<int, int>("w", async (context, n) =>
        {
            var events = Enumerable.Range(0, Count).Select(i => context.CameAsync($"e-{i}", Unit * 600)).ToList();
            for (var i = 0; i < 10; i++)
            {
                n = await context.CallActivityAsync<int>("twice", n);
            }

            return n + (await Task.WhenAll(events)).Count(came => came);
        });
        await using var hub = await StartHubAsync();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async i =>
        {
            await hub.StartAsync("w", $"i{i}", 0);
            await FirstTurnAsync(hub, $"i{i}");
        }));

        await Task.WhenAll(Enumerable.Range(0, Count * 4).Select(i => hub.RaiseAsync($"i{i % 4}", $"e-{i / 4}")));

        for (var i = 0; i < 4; i++)
        {
            (await hub.WaitForEndAsync($"i{i}")).Result<int>().ShouldBe(Count);
        }
    }

    [Fact]
    public async Task EventBesideAnActivity_WhicheverComesFirstIsSeenFirst()
    {
        var gate = new TaskCompletionSource();
        Tasks.Activity<int, int>("slow", async n =>
        {
            await gate.Task;
            return n;
        });
        Tasks.Orchestrator<int, string>("w", async (context, n) =>
        {
            var hurry = context.CameAsync("hurry", Unit * 600);
            var work = context.CallActivityAsync<int>("slow", n);
            var first = await Task.WhenAny(hurry, work);
            var word = first == work ? "work" : "hurry";
            await work;
            return word;
        });
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 0);
        await FirstTurnAsync(hub, "i");

        await hub.RaiseAsync("i", "hurry");
        gate.SetResult();

        (await hub.WaitForEndAsync("i")).Result<string>().ShouldBe("hurry");
    }

    [Fact]
    public async Task ContinuingAsNew_BeginsAgainWithAnEmptyHistory()
    {
        Tasks.Orchestrator<int, int>("w", async (context, n) =>
        {
            var doubled = await context.CallActivityAsync<int>("twice", n);
            await context.CreateTimer(Unit, CancellationToken.None);
            if (doubled < 100)
            {
                context.ContinueAsNew(doubled);
            }

            return doubled;
        });
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "i", 1);
        await hub.AdvanceAsync(Unit * 8);

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(128);
    }

    [Fact]
    public async Task EventThatCameBeforeContinuingAsNew_IsThereAfterwards()
    {
        Tasks.Orchestrator<int, string>("w", async (context, n) =>
        {
            if (n == 0)
            {
                await context.CameAsync("first", Unit * 600);
                context.ContinueAsNew(1, preserveUnprocessedEvents: true);
                return "";
            }

            return $"{await context.CameAsync("second", Unit * 600)}";
        });
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 0);
        await hub.SettleAsync();

        await hub.RaiseAsync("i", "second");
        await hub.RaiseAsync("i", "first");
        await hub.AdvanceAsync(Unit * 3);

        (await hub.WaitForEndAsync("i")).Result<string>().ShouldBe("True");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ContinuingAsNewWhileAnActivityRuns_WaitsForItAndThenBeginsAgain(bool settles)
    {
        var begun = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        Tasks.Activity<int, int>("slow the first time", async n =>
        {
            if (begun.TrySetResult())
            {
                await gate.Task;
                return -1;
            }

            return n;
        });
        Tasks.Orchestrator<int, int>("w", async (context, n) =>
        {
            var work = context.CallActivityAsync<int>("slow the first time", n);
            if (n == 0)
            {
                await context.CameAsync("skip", Unit * 600);
                context.SetCustomStatus("skipped");
                context.ContinueAsNew(7);
                return 0;
            }

            await context.CameAsync("look", Unit * 600);
            return await work;
        });
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 0);
        await begun.Task;

        await hub.RaiseAsync("i", "skip");
        if (settles)
        {
            // The turn with the event is over before the answer comes: then the session has to be given up.
            await Patience.UntilAsync(async () => await hub.CustomStatusAsync("i") is not null, () => "The turn with the event is not over.");
        }

        gate.SetResult();
        await hub.SettleAsync();
        await hub.RaiseAsync("i", "look");

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(7);
    }

    /// <summary>
    /// Before its first turn an instance does not exist for Durable Task on Azure Storage: it deletes what is raised then. It
    /// begins two seconds late when its message is taken before its row is written.
    /// </summary>
    private static Task FirstTurnAsync(ITaskHubHarness hub, string id) =>
        Patience.UntilAsync(async () => await hub.StatusAsync(id) != EngineStatus.Pending, () => $"Instance {id} does not begin.");

    private void WaitOnce(TimeSpan longest) => Tasks.Orchestrator<string, bool>("wait", (context, name) => context.CameAsync(name, longest));
}
