using System.Runtime.CompilerServices;
using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.Middleware;
using Microsoft.DurableTask;

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
