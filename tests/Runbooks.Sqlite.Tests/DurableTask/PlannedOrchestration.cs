using CsCheck;
using Microsoft.DurableTask;
using Runbooks.Orchestration.TaskHub;
using TestKit.Orchestration;

namespace Runbooks.Sqlite.Tests.DurableTask;

/// <summary>One step of an orchestration made up at random: so many activities at once, a wait for an event, a pause.</summary>
/// <param name="Renews">It continues as new after this step.</param>
public sealed record PlannedStep(int Activities, int WaitMinutes, int PauseMinutes, bool Renews);

/// <param name="Events">When the event of each step is raised, in half minutes; 0: never.</param>
/// <param name="Kills">The commit points at which the host is killed, counted over all its lives.</param>
public sealed record Plan(PlannedStep[] Steps, int[] Events, int[] Kills)
{
    public static Gen<Plan> Any { get; } =
        from steps in Gen.Select(Gen.Int[0, 3], Gen.Int[0, 4], Gen.Int[0, 3], Gen.Int[0, 3], (a, w, p, r) => new PlannedStep(a, w, p, r == 0)).Array[1, 4]
        from events in Gen.Int[0, 15].Array[steps.Length]
        from kills in Gen.Int[0, 40].Array[0, 6]
        select new Plan(steps, events, kills);
}

/// <param name="Next">The step to go on with.</param>
public sealed record PlanProgress(PlannedStep[] Steps, int Next, string[] Told);

/// <summary>The orchestration that follows a plan and tells what it met, and when.</summary>
internal static class PlannedOrchestration
{
    public static TaskHubTasks Tasks() => new TaskHubTasks()
        .Activity<int, int>("work", async n =>
        {
            await Task.Yield();
            return n % 3 == 2 ? throw new InvalidOperationException($"{n} never works") : n * n;
        })
        .Orchestrator<PlanProgress, string[]>("planned", RunAsync);

    private static async Task<string[]> RunAsync(TaskOrchestrationContext context, PlanProgress progress)
    {
        var told = progress.Told.ToList();
        for (var i = progress.Next; i < progress.Steps.Length; i++)
        {
            var step = progress.Steps[i];
            told.AddRange(await Task.WhenAll(Enumerable.Range(0, step.Activities).Select(n => TryAsync(context, n))));
            if (step.WaitMinutes > 0)
            {
                told.Add($"event {i}: {await context.CameAsync($"event-{i}", TimeSpan.FromMinutes(step.WaitMinutes))}");
            }

            if (step.PauseMinutes > 0)
            {
                await context.CreateTimer(TimeSpan.FromMinutes(step.PauseMinutes), CancellationToken.None);
            }

            told.Add($"{context.CurrentUtcDateTime:mm:ss}");
            if (step.Renews)
            {
                context.ContinueAsNew(new PlanProgress(progress.Steps, i + 1, [.. told]));
                return [];
            }
        }

        return [.. told];
    }

    private static async Task<string> TryAsync(TaskOrchestrationContext context, int n)
    {
        try
        {
            return $"{await context.CallActivityAsync<int>("work", n, FuncTasks.Retry(2, TimeSpan.FromMinutes(1)))}";
        }
        catch (TaskFailedException e)
        {
            return e.FailureDetails.ErrorMessage;
        }
    }
}
