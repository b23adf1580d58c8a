using Runbooks.Engine;
using Runbooks.Incidents;
using Shouldly;
using Xunit;

namespace TestKit.Engine;

/// <summary>
/// What the workflow may rely on, whichever engine runs it. An engine's tests derive from this and say how the engine
/// is started. Times are multiples of <see cref="Unit"/>, which is short where time is real.
/// </summary>
public abstract partial class EngineContract
{
    protected static readonly Activity<int, int> Twice = new("twice");
    protected static readonly Activity<string, string> Echo = new("echo");

    protected WorkflowTable Workflows { get; } = new();

    protected ActivityTable Activities { get; } = new ActivityTable()
        .Add(Twice, (n, _) => Task.FromResult(n * 2))
        .Add(Echo, (text, _) => Task.FromResult(text));

    protected ListLogger Logs { get; } = new();

    protected virtual TimeSpan Unit => TimeSpan.FromMinutes(1);

    /// <summary>Starts the engine with <see cref="Workflows"/>, <see cref="Activities"/> and <see cref="Logs"/>.</summary>
    protected abstract Task<IEngineHarness> StartEngineAsync();

    [Fact]
    public async Task WorkflowThatReturns_IsCompletedWithItsResult()
    {
        Workflows.Add<int, int>("w", async (context, n) => await context.CallActivityAsync(Twice, n) + 1);
        await using var engine = await StartEngineAsync();

        await engine.StartAsync("w", "i", 20);

        var end = await engine.WaitForEndAsync("i");
        end.Status.ShouldBe(EngineStatus.Completed);
        end.Result<int>().ShouldBe(41);
        (await engine.StatusAsync("i")).ShouldBe(EngineStatus.Completed);
    }

    [Fact]
    public async Task WorkflowThatThrows_IsFailedAndSaysWhy()
    {
        Workflows.Add<int, int>("w", async (context, n) =>
        {
            await context.CallActivityAsync(Twice, n);
            throw new InvalidOperationException("the story went wrong");
        });
        await using var engine = await StartEngineAsync();

        await engine.StartAsync("w", "i", 1);

        var end = await engine.WaitForEndAsync("i");
        end.Status.ShouldBe(EngineStatus.Failed);
        end.Text!.ShouldContain("the story went wrong");
    }

    [Fact]
    public async Task StartOfAnIdThatExists_DoesNothing()
    {
        var runs = 0;
        Activities.Add(new Activity<int, int>("count"), (n, _) => Task.FromResult(Interlocked.Increment(ref runs)));
        Workflows.Add<int, int>("w", (context, n) => context.CallActivityAsync(new Activity<int, int>("count"), n));
        await using var engine = await StartEngineAsync();

        await engine.StartAsync("w", "i", 1);
        await engine.StartAsync("w", "i", 2);
        await engine.WaitForEndAsync("i");
        await engine.StartAsync("w", "i", 3);
        await engine.SettleAsync();

        runs.ShouldBe(1);
    }

    [Fact]
    public async Task WakeOfWhatIsUnknownOrFinished_IsNoError()
    {
        Workflows.Add<int, int>("w", (context, n) => context.CallActivityAsync(Twice, n));
        await using var engine = await StartEngineAsync();
        await engine.StartAsync("w", "i", 1);
        await engine.WaitForEndAsync("i");

        await engine.RaiseAsync("i", "anything");
        await engine.RaiseAsync("nobody", "anything");

        (await engine.StatusAsync("i")).ShouldBe(EngineStatus.Completed);
        (await engine.StatusAsync("nobody")).ShouldBeNull();
    }

    [Fact]
    public async Task CustomStatus_IsShownWhileTheWorkflowWaits()
    {
        Workflows.Add<int, bool>("w", async (context, _) =>
        {
            context.SetCustomStatus(new IncidentStatus(IncidentState.AwaitingApproval, "gate 1"));
            return await context.WaitForExternalEventAsync("go", Unit);
        });
        await using var engine = await StartEngineAsync();

        await engine.StartAsync("w", "i", 1);
        await engine.SettleAsync();

        (await engine.CustomStatusAsync("i"))!.ShouldContain("awaitingApproval");
    }

    [Fact]
    public async Task ManyInstances_DoNotDisturbEachOther()
    {
        Workflows.Add<int, int>("w", async (context, n) =>
        {
            var doubled = await context.CallActivityAsync(Twice, n);
            var came = await context.WaitForExternalEventAsync($"go-{n}", Unit * 10);
            return came ? await context.CallActivityAsync(Twice, doubled) : -1;
        });
        await using var engine = await StartEngineAsync();

        var all = Enumerable.Range(0, 200).ToList();
        await Task.WhenAll(all.Select(n => engine.StartAsync("w", $"i{n}", n)));
        await engine.SettleAsync();
        await Task.WhenAll(all.Select(n => engine.RaiseAsync($"i{n}", $"go-{n}")));

        foreach (var n in all)
        {
            (await engine.WaitForEndAsync($"i{n}")).Result<int>().ShouldBe(n * 4);
        }
    }
}
