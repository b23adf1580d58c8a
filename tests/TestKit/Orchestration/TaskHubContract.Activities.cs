using Microsoft.DurableTask;
using Runbooks.Engine;
using Shouldly;
using Xunit;

namespace TestKit.Orchestration;

/// <summary>What activities are asked and answer.</summary>
public abstract class TaskHubActivitiesContract(TaskHubBackend backend) : TaskHubContract(backend)
{
    [Fact]
    public async Task ParallelActivities_RunAtTheSameTimeAndKeepTheirPlaces()
    {
        var together = new TaskCompletionSource();
        var arrived = 0;
        Tasks.Activity<int, int>("meet", async n =>
        {
            if (Interlocked.Increment(ref arrived) == 4)
            {
                together.SetResult();
            }

            await together.Task;
            return n * 10;
        });
        Tasks.Orchestrator<int, int[]>("w", (context, _) => Task.WhenAll(Enumerable.Range(0, 4).Select(n => context.CallActivityAsync<int>("meet", n))));
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "i", 0);

        (await hub.WaitForEndAsync("i")).Result<int[]>().ShouldBe([0, 10, 20, 30]);
    }

    [Fact]
    public async Task OneOfSeveralParallelActivitiesFails_TheOthersAreStillAnswered()
    {
        Tasks.Activity<int, int>("odd fails", n => n % 2 == 0 ? Task.FromResult(n) : throw new InvalidOperationException($"{n} is odd"));
        Tasks.Orchestrator<int, string[]>("w", (context, _) => Task.WhenAll(Enumerable.Range(0, 4).Select(async n =>
        {
            try
            {
                return $"{await context.CallActivityAsync<int>("odd fails", n)}";
            }
            catch (TaskFailedException e)
            {
                return e.FailureDetails.ErrorMessage;
            }
        })));
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "i", 0);

        (await hub.WaitForEndAsync("i")).Result<string[]>().ShouldBe(["0", "1 is odd", "2", "3 is odd"]);
    }

    [Fact]
    public async Task ActivityThatFailsTwice_IsTriedAgainAfterGrowingPauses()
    {
        var attempts = 0;
        Tasks.Activity<int, int>("flaky", n => Interlocked.Increment(ref attempts) < 3 ? throw new IOException("not yet") : Task.FromResult(n));
        Tasks.Orchestrator<int, double>("w", async (context, n) =>
        {
            var begin = context.CurrentUtcDateTime;
            await context.CallActivityAsync<int>("flaky", n, FuncTasks.Retry(5, Unit, backoff: 3));
            return (context.CurrentUtcDateTime - begin) / Unit;
        });
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "i", 7);
        await hub.AdvanceAsync(Unit * 10);

        (await hub.WaitForEndAsync("i")).Result<double>().ShouldBeInRange(4, 4 + (2 * Late));
        attempts.ShouldBe(3);
    }

    [Fact]
    public async Task ActivityThatAlwaysFails_IsGivenUpAfterTheLastAttempt()
    {
        var attempts = 0;
        Tasks.Activity<int, int>("broken", _ => throw new IOException($"attempt {Interlocked.Increment(ref attempts)}"));
        Tasks.Orchestrator<int, string>("w", async (context, n) =>
        {
            try
            {
                await context.CallActivityAsync<int>("broken", n, FuncTasks.Retry(3, Unit));
                return "worked";
            }
            catch (TaskFailedException e)
            {
                return $"{e.TaskName}: {e.FailureDetails.ErrorMessage}";
            }
        });
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "i", 7);
        await hub.AdvanceAsync(Unit * 10);

        (await hub.WaitForEndAsync("i")).Result<string>().ShouldBe("broken: attempt 3");
    }

    [Fact]
    public async Task ActivityThatNobodyKnows_FailsTheCallAndNothingElse()
    {
        Tasks.Orchestrator<int, string>("w", async (context, n) =>
        {
            try
            {
                return $"{await context.CallActivityAsync<int>("no such thing", n)}";
            }
            catch (TaskFailedException e)
            {
                return e.FailureDetails.ErrorMessage;
            }
        });
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "i", 1);

        (await hub.WaitForEndAsync("i")).Result<string>().ShouldContain("'no such thing'");
    }

    [Fact]
    public async Task TerminationWhileAnActivityRuns_EndsTheInstanceAndDropsTheAnswer()
    {
        var begun = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        Tasks.Activity<int, int>("slow", async n =>
        {
            begun.TrySetResult();
            await gate.Task;
            return n;
        });
        Tasks.Orchestrator<int, int>("w", async (context, n) =>
            await context.CallActivityAsync<int>("slow", n) + await context.CallActivityAsync<int>("slow", n));
        await using var hub = await StartHubAsync();
        await hub.StartAsync("w", "i", 1);
        await begun.Task;

        await hub.TerminateAsync("i", "no longer wanted");
        (await hub.WaitForEndAsync("i")).Status.ShouldBe(EngineStatus.Terminated);
        gate.SetResult();
        await hub.SettleAsync();

        (await hub.StatusAsync("i")).ShouldBe(EngineStatus.Terminated);
    }

    [Fact]
    public async Task LargeAndForeignText_ComesBackAsItWent()
    {
        var text = string.Concat(Enumerable.Repeat("</script>\u0000 \"ünï\" 日本語 😀 \u2028\n", 4_000));
        Tasks.Orchestrator<string, string>("w", (context, input) => context.CallActivityAsync<string>("echo", input));
        await using var hub = await StartHubAsync();

        await hub.StartAsync("w", "größe-日本", text);

        (await hub.WaitForEndAsync("größe-日本")).Result<string>().ShouldBe(text);
    }
}
