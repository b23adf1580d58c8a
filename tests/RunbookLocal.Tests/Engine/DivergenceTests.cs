using RunbookLocal.Engine;
using Runbooks.Engine;
using TestKit.Engine;

namespace RunbookLocal.Tests.Engine;

public sealed class DivergenceTests
{
    private static readonly Activity<int, int> Old = new("old");
    private static readonly Activity<int, int> New = new("new");
    private ListLogger Logs { get; } = new();
    private Func<IWorkflowContext, Task> _story = _ => Task.CompletedTask;

    [Fact]
    public async Task CodeThatAsksForAnotherActivity_FailsLoudlyAndNamesThePlace()
    {
        var failure = await ChangeAsync(
            async context =>
            {
                await context.CallActivityAsync(Old, 1);
                await context.CreateTimerAsync(TimeSpan.FromMinutes(5));
            },
            async context =>
            {
                await context.CallActivityAsync(New, 1);
                await context.CreateTimerAsync(TimeSpan.FromMinutes(5));
            });

        failure.ShouldBe("Event 1 of the journal is TaskScheduled 'old', but the code asks for TaskScheduled 'new'.");
        Logs.Lines.ShouldContain(line => line.StartsWith("Critical", StringComparison.Ordinal) && line.Contains(failure));
    }

    [Fact]
    public async Task CodeThatCatchesEverything_CannotRunOnAfterADivergence()
    {
        var failure = await ChangeAsync(
            context => context.WaitForExternalEventAsync("a", TimeSpan.FromMinutes(5)),
            async context =>
            {
                try
                {
                    await context.WaitForExternalEventAsync("b", TimeSpan.FromMinutes(5));
                }
                catch (Exception)
                {
                    await context.CallActivityAsync(New, 1);
                }
            });

        failure.ShouldContain("TimerCreated 'a'");
        failure.ShouldContain("TimerCreated 'b'");
    }

    [Fact]
    public async Task CodeThatAsksForLess_FailsLoudly() => (await ChangeAsync(
        async context =>
        {
            await context.CallActivityAsync(Old, 1);
            await context.CreateTimerAsync(TimeSpan.FromMinutes(5));
        },
        context => context.CallActivityAsync(Old, 1)))
        .ShouldContain("but the code asks for nothing like it");

    [Fact]
    public async Task WorkflowThatAwaitsSomethingForeign_FailsInsteadOfHanging()
    {
        var never = new TaskCompletionSource();
        await using var host = await OpenAsync();
        _story = _ => never.Task;

        await host.StartAsync("story", "i", 0);

        (await host.WaitForEndAsync("i")).Text!.ShouldContain("awaited something that the engine did not give it");
    }

    [Fact]
    public async Task WorkflowThatAwaitsSomethingForeignBesideATimer_FailsWhenThatContinuesIt()
    {
        var foreign = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await OpenAsync();
        _story = async context => await Task.WhenAny(context.CreateTimerAsync(TimeSpan.FromHours(1)), foreign.Task);
        await host.StartAsync("story", "i", 0);
        await host.SettleAsync();

        foreign.SetResult();

        (await host.WaitForEndAsync("i")).Text!.ShouldContain("awaited something that the engine did not give it");
    }

    [Fact]
    public async Task WorkflowThatLeavesItsThread_Fails()
    {
        await using var host = await OpenAsync();
        _story = async context =>
        {
            await context.CallActivityAsync(Old, 1).ConfigureAwait(false);
            await context.CallActivityAsync(Old, 1).ConfigureAwait(false);
        };

        await host.StartAsync("story", "i", 0);

        (await host.WaitForEndAsync("i")).Status.ShouldBe(EngineStatus.Failed);
    }

    private async Task<string> ChangeAsync(Func<IWorkflowContext, Task> before, Func<IWorkflowContext, Task> after)
    {
        await using var host = await OpenAsync();
        _story = before;
        await host.StartAsync("story", "i", 0);
        await host.SettleAsync();

        _story = after;
        await host.RestartAsync();
        await host.RaiseAsync("i", "wake up");

        var end = await host.WaitForEndAsync("i");
        end.Status.ShouldBe(EngineStatus.Failed);
        host.Engine.Find("i")!.Failure.ShouldBe(end.Text);
        return end.Text!;
    }

    private Task<JournalHarness> OpenAsync() => JournalHarness.OpenAsync(
        new WorkflowTable().Add<int, int>("story", async (context, n) =>
        {
            await _story(context);
            return n;
        }),
        new ActivityTable().Add(Old, (n, _) => Task.FromResult(n)).Add(New, (n, _) => Task.FromResult(n)),
        Logs);
}
