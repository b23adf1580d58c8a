using CsCheck;
using Runbooks.Engine;

namespace RunbookLocal.Tests.Engine;

/// <summary>One step of a workflow made up at random: so many activities at once, a wait for an event, a pause.</summary>
public sealed record PlannedStep(int Activities, int WaitMinutes, int PauseMinutes);

/// <param name="Events">When the event of each step is raised, in half minutes; 0: never.</param>
/// <param name="Kills">The commit points at which the engine is killed, counted over all its lives.</param>
public sealed record Plan(PlannedStep[] Steps, int[] Events, int[] Kills)
{
    public static Gen<Plan> Any { get; } =
        from steps in Gen.Select(Gen.Int[0, 3], Gen.Int[0, 4], Gen.Int[0, 3], (a, w, p) => new PlannedStep(a, w, p)).Array[1, 4]
        from events in Gen.Int[0, 15].Array[steps.Length]
        from kills in Gen.Int[0, 40].Array[0, 6]
        select new Plan(steps, events, kills);
}

/// <summary>The workflow that follows a plan and tells what it met, and when.</summary>
internal static class PlannedWorkflow
{
    private static readonly Activity<int, int> Work = new("work");

    public static WorkflowTable Workflows { get; } = new WorkflowTable().Add<PlannedStep[], List<string>>("planned", RunAsync);

    public static ActivityTable Activities { get; } = new ActivityTable().Add(Work, async (n, _) =>
    {
        await Task.Yield();
        return n % 3 == 2 ? throw new InvalidOperationException($"{n} never works") : n * n;
    });

    private static async Task<List<string>> RunAsync(IWorkflowContext context, PlannedStep[] steps)
    {
        var begin = context.UtcNow;
        var told = new List<string>();
        for (var i = 0; i < steps.Length; i++)
        {
            var step = steps[i];
            told.AddRange(await Task.WhenAll(Enumerable.Range(0, step.Activities).Select(n => TryAsync(context, n))));
            if (step.WaitMinutes > 0)
            {
                told.Add($"event {i}: {await context.WaitForExternalEventAsync($"event-{i}", TimeSpan.FromMinutes(step.WaitMinutes))}");
            }

            if (step.PauseMinutes > 0)
            {
                await context.CreateTimerAsync(TimeSpan.FromMinutes(step.PauseMinutes));
            }

            told.Add($"{(context.UtcNow - begin).TotalMinutes} min");
        }

        return told;
    }

    private static async Task<string> TryAsync(IWorkflowContext context, int n)
    {
        try
        {
            return $"{await context.CallActivityAsync(Work, n, new RetryPolicy(2, TimeSpan.FromMinutes(1)))}";
        }
        catch (ActivityFailedException e)
        {
            return e.Failure;
        }
    }
}
