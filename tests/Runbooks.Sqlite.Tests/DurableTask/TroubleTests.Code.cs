using Microsoft.DurableTask;
using Runbooks.Engine;
using Runbooks.Sqlite.DurableTask;
using TestKit.Orchestration;

namespace Runbooks.Sqlite.Tests.DurableTask;

/// <content>Code that does not fit what has begun.</content>
public sealed partial class TroubleTests
{
    [Fact]
    public async Task OrchestratorThatNobodyKnows_EndsTheInstanceAfterAFewAttempts()
    {
        await using var hub = await OpenAsync();
        await hub.StartAsync("unknown", "i", 1);

        await hub.AdvanceAsync(s_minute);

        (await hub.WaitForEndAsync("i")).Text!.ShouldContain("No orchestrator is called 'unknown'");
    }

    [Fact]
    public async Task SubOrchestration_IsRefusedAtOnceAndSaysSo()
    {
        await using var hub = await OpenAsync();
        _story = context => context.CallSubOrchestratorAsync("waits", 1);

        await hub.StartAsync("story", "i", 1);

        (await hub.WaitForEndAsync("i")).Text!.ShouldContain("sub-orchestrations");
    }

    /// <summary>In words, and with the place that whoever looks for the cause needs.</summary>
    private const string Misfit = @"^What is recorded of the incident does not fit the workflow 3\.0 .* Finish it by hand\. \(.*sequence (ID|number) \d";

    [Fact]
    public async Task CodeThatAsksForAnotherActivity_FailsTheInstance() => (await ChangeAsync(
        async context =>
        {
            await context.CallActivityAsync("old", 1);
            await context.CreateTimer(s_minute * 5, CancellationToken.None);
        },
        async context =>
        {
            await context.CallActivityAsync("new", 1);
            await context.CreateTimer(s_minute * 5, CancellationToken.None);
        })).ShouldMatch(Misfit);

    [Fact]
    public async Task CodeThatAsksForLess_FailsTheInstance() => (await ChangeAsync(
        async context =>
        {
            await context.CallActivityAsync("old", 1);
            await context.CreateTimer(s_minute * 5, CancellationToken.None);
        },
        context => context.CallActivityAsync("old", 1))).ShouldMatch(Misfit);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InstanceOfANewerVersion_WaitsForTheNewerProgramAndThenGoesOn(bool isInAnActivity)
    {
        var gate = new TaskCompletionSource();
        var runs = 0;
        _tasks.Activity<int, int>("slow", async n =>
        {
            runs++;
            await gate.Task;
            return n;
        });
        _tasks.Orchestrator<int, bool>("works", async (context, n) => await context.CallActivityAsync<int>("slow", n) == n);
        await using var hub = await OpenAsync(new SqliteTaskHubOptions { MaxStarts = 3 });
        hub.HubOptions.Version = "2.0";
        await hub.RestartAsync();
        await hub.StartAsync(isInAnActivity ? "works" : "waits", "i", 1);
        while (isInAnActivity && Volatile.Read(ref runs) == 0)
        {
            await Task.Yield();
        }

        if (!isInAnActivity)
        {
            await hub.SettleAsync();
        }

        hub.HubOptions.Version = "1.0";
        for (var i = 0; i < 5; i++)
        {
            await hub.CrashAsync();
            await hub.RaiseAsync("i", "go");
            await hub.AdvanceAsync(s_minute * 5);
        }

        (await hub.StatusAsync("i")).ShouldBe(EngineStatus.Running);
        runs.ShouldBe(isInAnActivity ? 1 : 0);
        Logs.Lines.ShouldContain(line => line.Contains("began under version 2.0 of the workflow: 1. This program runs 1.0"));

        hub.HubOptions.Version = "2.0";
        gate.SetResult();
        await hub.RestartAsync();
        (await hub.WaitForEndAsync("i")).Result<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task InstanceOfAnOlderVersion_IsRunAndMaySayForItselfWhatToDo()
    {
        await using var hub = await OpenAsync();
        hub.HubOptions.Version = "1.0";
        await hub.RestartAsync();
        await hub.StartAsync("waits", "i", 1);
        await hub.SettleAsync();

        hub.HubOptions.Version = "2.0";
        await hub.RestartAsync();
        await hub.RaiseAsync("i", "go");

        (await hub.WaitForEndAsync("i")).Status.ShouldBe(EngineStatus.Completed);
        Logs.Lines.ShouldContain(line => line.Contains("began under version 1.0 of the workflow: 1. This program runs 2.0: each of them ends as failed"));
    }

    private async Task<string> ChangeAsync(Func<TaskOrchestrationContext, Task> before, Func<TaskOrchestrationContext, Task> after)
    {
        await using var hub = await OpenAsync();
        _story = before;
        await hub.StartAsync("story", "i", 0);
        await hub.SettleAsync();

        _story = after;
        await hub.RestartAsync();
        await hub.RaiseAsync("i", "wake up");

        var end = await hub.WaitForEndAsync("i");
        end.Status.ShouldBe(EngineStatus.Failed);
        return end.Text!;
    }
}
