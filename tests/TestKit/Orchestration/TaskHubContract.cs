using Runbooks.Engine;
using Runbooks.Model.Incidents;
using Runbooks.Orchestration.TaskHub;
using Shouldly;
using TestKit.Engine;
using Xunit;

namespace TestKit.Orchestration;

/// <summary>Where the history of a hub is kept, as the contract's tests need to know it.</summary>
/// <param name="StartAsync">Starts the hub with these tasks and logs.</param>
public sealed record TaskHubBackend(Func<TaskHubTasks, ListLogger, Task<ITaskHubHarness>> StartAsync)
{
    /// <summary>Times in the tests are multiples of this; it is short where time is real.</summary>
    public TimeSpan Unit { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How many instances run at once where many do.</summary>
    public int Crowd { get; init; } = 200;

    /// <summary>How late a timer may be, in units: where time is real, as late as a slow machine makes it.</summary>
    public double Late { get; init; } = 0.5;
}

/// <summary>
/// What orchestrators may rely on, wherever their history is kept. A backend's tests derive from each of its parts: they run
/// beside each other, and where time is real most of it is waiting.
/// </summary>
public abstract class TaskHubContract(TaskHubBackend backend)
{
    protected TaskHubTasks Tasks { get; } = new TaskHubTasks()
        .Activity<int, int>("twice", n => Task.FromResult(n * 2))
        .Activity<string, string>("echo", Task.FromResult);

    protected ListLogger Logs { get; } = new();

    protected TimeSpan Unit => backend.Unit;

    protected int Crowd => backend.Crowd;

    protected double Late => backend.Late;

    /// <summary>Starts the hub with <see cref="Tasks"/> and <see cref="Logs"/>.</summary>
    protected Task<ITaskHubHarness> StartHubAsync() => backend.StartAsync(Tasks, Logs);
}

/// <summary>How instances begin and end.</summary>
public abstract class TaskHubInstancesContract(TaskHubBackend backend) : TaskHubContract(backend)
{
    [Fact]
    public async Task OrchestratorThatReturns_IsCompletedWithItsResult()
    {
        Tasks.Orchestrator<int, int>("w", async (context, n) => await context.CallActivityAsync<int>("twice", n) + 1);
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "i", 20);

        var end = await hub.WaitForEndAsync("i");
        end.Status.ShouldBe(EngineStatus.Completed);
        end.Result<int>().ShouldBe(41);
        (await hub.StatusAsync("i")).ShouldBe(EngineStatus.Completed);
    }

    [Fact]
    public async Task OrchestratorThatThrows_IsFailedAndSaysWhy()
    {
        Tasks.Orchestrator<int, int>("w", async (context, n) =>
        {
            await context.CallActivityAsync<int>("twice", n);
            throw new InvalidOperationException("the story went wrong");
        });
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "i", 1);

        var end = await hub.WaitForEndAsync("i");
        end.Status.ShouldBe(EngineStatus.Failed);
        end.Text!.ShouldContain("the story went wrong");
    }

    [Fact]
    public async Task StartOfAnIdThatExists_DoesNothing()
    {
        var runs = 0;
        Tasks.Activity<int, int>("count", _ => Task.FromResult(Interlocked.Increment(ref runs)));
        Tasks.Orchestrator<int, int>("w", (context, n) => context.CallActivityAsync<int>("count", n));
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "i", 1);
        await hub.StartAsync("w", "i", 2);
        await hub.WaitForEndAsync("i");
        await hub.StartAsync("w", "i", 3);
        await hub.SettleAsync();

        runs.ShouldBe(1);
    }

    [Fact]
    public async Task WakeOfWhatIsUnknownOrFinished_IsNoError()
    {
        Tasks.Orchestrator<int, int>("w", (context, n) => context.CallActivityAsync<int>("twice", n));
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 1);
        await hub.WaitForEndAsync("i");

        await hub.RaiseAsync("i", "anything");
        await hub.RaiseAsync("nobody", "anything");
        await hub.SettleAsync();

        (await hub.StatusAsync("i")).ShouldBe(EngineStatus.Completed);
        (await hub.StatusAsync("nobody")).ShouldBeNull();
    }

    [Fact]
    public async Task CustomStatus_IsShownWhileTheOrchestratorWaits()
    {
        Tasks.Orchestrator<int, bool>("w", async (context, _) =>
        {
            context.SetCustomStatus(new IncidentStatus(IncidentState.AwaitingApproval, "gate 1"));
            return await context.CameAsync("go", Unit * 600);
        });
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "i", 1);
        await hub.SettleAsync();

        (await hub.CustomStatusAsync("i"))!.ShouldContain("awaitingApproval");
    }

    [Fact]
    public async Task ManyInstances_DoNotDisturbEachOther()
    {
        Tasks.Orchestrator<int, int>("w", async (context, n) =>
        {
            var doubled = await context.CallActivityAsync<int>("twice", n);
            var came = await context.CameAsync($"go-{n}", Unit * 600);
            return came ? await context.CallActivityAsync<int>("twice", doubled) : -1;
        });
        await using var hub = await StartHubAsync();

        var all = Enumerable.Range(0, Crowd).ToList();
        await Task.WhenAll(all.Select(n => hub.StartAsync("w", $"i{n}", n)));
        await hub.SettleAsync();
        await Task.WhenAll(all.Select(n => hub.RaiseAsync($"i{n}", $"go-{n}")));

        foreach (var n in all)
        {
            (await hub.WaitForEndAsync($"i{n}")).Result<int>().ShouldBe(n * 4);
        }
    }

    [Fact]
    public async Task Termination_EndsAnInstanceThatWaits()
    {
        Tasks.Orchestrator<int, bool>("w", (context, _) => context.CameAsync("go", Unit * (4 + Late)));
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 1);
        await hub.SettleAsync();

        await hub.TerminateAsync("i", "no longer wanted");

        (await hub.WaitForEndAsync("i")).Status.ShouldBe(EngineStatus.Terminated);
        await hub.RaiseAsync("i", "go");
        await hub.AdvanceAsync(Unit * 5);
        (await hub.StatusAsync("i")).ShouldBe(EngineStatus.Terminated);
    }

    [Fact]
    public async Task ForgettingAnInstance_RemovesOnlyAFinishedOne()
    {
        Tasks.Orchestrator<int, int>("quick", (context, n) => context.CallActivityAsync<int>("twice", n));
        Tasks.Orchestrator<int, bool>("waits", (context, _) => context.CameAsync("go", Unit * 600));
        await using var hub = await StartHubAsync();
        await hub.StartAsync("quick", "done", 1);
        await hub.StartAsync("waits", "open", 1);
        await hub.WaitForEndAsync("done");
        await hub.SettleAsync();

        await hub.ForgetAsync("done");
        await hub.ForgetAsync("open");
        await hub.ForgetAsync("nobody");

        (await hub.StatusAsync("done")).ShouldBeNull();
        (await hub.StatusAsync("open")).ShouldBe(EngineStatus.Running);
    }
}
