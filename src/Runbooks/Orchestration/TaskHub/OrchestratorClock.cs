using System.Runtime.CompilerServices;
using DurableTask.Core;
using DurableTask.Core.History;
using DurableTask.Core.Middleware;

namespace Runbooks.Orchestration.TaskHub;

/// <summary>
/// What an orchestrator sees as the time: the <see cref="TimeProvider"/>'s at the beginning of each turn, recorded in the
/// turn's <see cref="OrchestratorStartedEvent"/>. It never runs backwards within an instance, whatever the machine's clock does.
/// </summary>
internal sealed class OrchestratorClock(TimeProvider time)
{
    // An instance that continues as new does so inside one work item, with nothing of its past but this.
    private readonly ConditionalWeakTable<TaskOrchestrationWorkItem, StrongBox<DateTime>> _last = [];

    public Task SetAsync(DispatchMiddlewareContext context, Func<Task> next)
    {
        var state = context.GetProperty<OrchestrationRuntimeState>();
        var last = _last.GetOrCreateValue(context.GetProperty<TaskOrchestrationWorkItem>());
        var now = time.GetUtcNow().UtcDateTime;
        var floor = LastOf(state);
        now = now > floor ? now : floor;
        now = now > last.Value ? now : last.Value;
        last.Value = now;
        foreach (var started in state.NewEvents)
        {
            if (started.EventType == EventType.OrchestratorStarted)
            {
                started.Timestamp = now;
            }
        }

        return next();
    }

    // The end of Events is NewEvents; what is before it has its time.
    private static DateTime LastOf(OrchestrationRuntimeState state)
    {
        for (var i = state.Events.Count - state.NewEvents.Count - 1; i >= 0; i--)
        {
            if (state.Events[i].EventType == EventType.OrchestratorStarted)
            {
                return state.Events[i].Timestamp;
            }
        }

        return DateTime.MinValue;
    }
}
