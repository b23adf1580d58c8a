using System.Diagnostics.CodeAnalysis;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;

namespace Runbooks.Orchestration.TaskHub;

/// <summary>Which code runs for each name of an orchestrator or an activity.</summary>
public sealed class TaskHubTasks
{
    private readonly Dictionary<string, Func<IServiceProvider, ITaskOrchestrator>> _orchestrators = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<IServiceProvider, ITaskActivity>> _activities = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Orchestrators => _orchestrators.Keys;

    public IReadOnlyCollection<string> Activities => _activities.Keys;

    /// <param name="create">Called for each run and each replay: an orchestrator keeps its state in local variables and fields of its own.</param>
    /// <exception cref="InvalidOperationException">The name is taken.</exception>
    public TaskHubTasks AddOrchestrator(string name, Func<IServiceProvider, ITaskOrchestrator> create)
    {
        if (!_orchestrators.TryAdd(name, create))
        {
            throw new InvalidOperationException($"Two orchestrators are called '{name}'.");
        }

        return this;
    }

    /// <summary>The orchestrator <typeparamref name="T"/>, its constructor's arguments taken from the services.</summary>
    /// <inheritdoc cref="AddOrchestrator(string, Func{IServiceProvider, ITaskOrchestrator})"/>
    public TaskHubTasks AddOrchestrator<T>(string name)
        where T : class, ITaskOrchestrator
    {
        var create = ActivatorUtilities.CreateFactory<T>([]);
        return AddOrchestrator(name, services => create(services, null));
    }

    /// <param name="create">Called for each run of the activity.</param>
    /// <exception cref="InvalidOperationException">The name is taken.</exception>
    public TaskHubTasks AddActivity(string name, Func<IServiceProvider, ITaskActivity> create)
    {
        if (!_activities.TryAdd(name, create))
        {
            throw new InvalidOperationException($"Two activities are called '{name}'.");
        }

        return this;
    }

    /// <summary>The activity <typeparamref name="T"/>, its constructor's arguments taken from the services.</summary>
    /// <inheritdoc cref="AddActivity(string, Func{IServiceProvider, ITaskActivity})"/>
    public TaskHubTasks AddActivity<T>(string name)
        where T : class, ITaskActivity
    {
        var create = ActivatorUtilities.CreateFactory<T>([]);
        return AddActivity(name, services => create(services, null));
    }

    internal bool TryFindOrchestrator(string name, [NotNullWhen(true)] out Func<IServiceProvider, ITaskOrchestrator>? create) =>
        _orchestrators.TryGetValue(name, out create);

    internal bool TryFindActivity(string name, [NotNullWhen(true)] out Func<IServiceProvider, ITaskActivity>? create) =>
        _activities.TryGetValue(name, out create);
}
