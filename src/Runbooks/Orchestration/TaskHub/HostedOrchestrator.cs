using System.Runtime.CompilerServices;
using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using DurableTask.Core.Middleware;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Worker.Shims;

namespace Runbooks.Orchestration.TaskHub;

/// <summary>
/// An orchestrator that knows that it has returned. Durable Task ends it only when its open activities are answered, and what
/// it returned with, to continue as new, is forgotten in a session that goes on until then: it would end instead. Such a
/// session is given up, and a replay, which forgets nothing, ends it as it was meant.
/// </summary>
internal sealed class HostedOrchestrator(ITaskOrchestrator orchestrator) : ITaskOrchestrator
{
    private static readonly ConditionalWeakTable<TaskOrchestration, HostedOrchestrator> Known = [];

    private bool _hasReturned;

    public Type InputType => orchestrator.InputType;

    public Type OutputType => orchestrator.OutputType;

    public static TaskOrchestration Remember(TaskOrchestration shim, HostedOrchestrator hosted)
    {
        Known.Add(shim, hosted);
        return shim;
    }

    public static Task GiveUpSessionAsync(DispatchMiddlewareContext context, Func<Task> next) =>
        Known.TryGetValue(context.GetProperty<TaskOrchestration>(), out var hosted) && hosted._hasReturned
            ? throw new SessionAbortedException("The orchestrator has returned; its end is replayed.")
            : next();

    public async Task<object?> RunAsync(TaskOrchestrationContext context, object? input)
    {
        try
        {
            return await orchestrator.RunAsync(context, input);
        }
        finally
        {
            _hasReturned = true;
        }
    }
}

/// <summary>
/// Finds orchestrators by name for the worker. Versions do not select code: what an instance was begun with is checked by
/// the worker's versioning.
/// </summary>
internal sealed class HostedOrchestrators(TaskHubTasks tasks, IServiceProvider services, DurableTaskShimFactory shims)
    : INameVersionObjectManager<TaskOrchestration>
{
    public void Add(ObjectCreator<TaskOrchestration> creator) => throw new NotSupportedException("Orchestrators are added to TaskHubTasks.");

    // Durable Task answers a null with a back-off of the whole dispatcher, which would delay every other instance too.
    public TaskOrchestration GetObject(string name, string? version)
    {
        if (!tasks.TryFindOrchestrator(name, out var create))
        {
            throw new InvalidOperationException($"No orchestrator is called '{name}'.");
        }

        var hosted = new HostedOrchestrator(create(services));
        return HostedOrchestrator.Remember(shims.CreateOrchestration(name, hosted), hosted);
    }
}

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
