using DurableTask.Core;
using Microsoft.DurableTask.Worker.Shims;
using Microsoft.Extensions.Logging.Abstractions;

namespace Runbooks.Orchestration.TaskHub;

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

/// <summary>Finds activities by name for the worker.</summary>
internal sealed class HostedActivities(
    TaskHubTasks tasks, IServiceProvider services, TaskHubOptions options, ActivityShutdown shutdown, DurableTaskShimFactory shims)
    : INameVersionObjectManager<TaskActivity>
{
    public void Add(ObjectCreator<TaskActivity> creator) => throw new NotSupportedException("Activities are added to TaskHubTasks.");

    public TaskActivity GetObject(string name, string? version)
    {
        if (!tasks.TryFindActivity(name, out var create))
        {
            return new MissingActivity(name);
        }

        Microsoft.DurableTask.ITaskActivity activity;
        try
        {
            activity = create(services);
        }
#pragma warning disable CA1031 // A constructor that throws is a failure of the activity; thrown from here it would be tried for ever.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new UnmadeActivity(e);
        }

        return shims.CreateActivity(name, new HostedActivity(name, activity, shutdown, options.AroundActivity));
    }

    /// <summary>The shim's own log would show what an activity threw as it is, secrets and all; <see cref="IncidentActivity{TInput,TOutput}"/> logs instead.</summary>
    public static DurableTaskShimFactory Shims(Microsoft.DurableTask.Worker.DurableTaskWorkerOptions options) => new(options, NullLoggerFactory.Instance);

    private sealed class MissingActivity(string name) : TaskActivity
    {
        public override string Run(TaskContext context, string input) => throw new InvalidOperationException($"No activity is called '{name}'.");
    }

    private sealed class UnmadeActivity(Exception cause) : TaskActivity
    {
        public override string Run(TaskContext context, string input) => throw new InvalidOperationException(cause.Message, cause);
    }
}
