using DurableTask.Core.Settings;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Runbooks.Orchestration.TaskHub;

public static class TaskHubServices
{
    /// <summary>
    /// Runs the orchestrators and activities that <paramref name="add"/> names. Needs an
    /// <see cref="DurableTask.Core.IOrchestrationService"/> and its <see cref="DurableTask.Core.IOrchestrationServiceClient"/>; what
    /// registers those may configure <see cref="TaskHubOptions"/> too.
    /// </summary>
    public static IServiceCollection AddTaskHub(
        this IServiceCollection services, Action<TaskHubTasks> add, Action<TaskHubOptions>? configure = null)
    {
        var tasks = new TaskHubTasks();
        add(tasks);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ActivityShutdown>();
        services.AddOptions<TaskHubOptions>().Configure(options => configure?.Invoke(options));
        return services
            .AddSingleton(tasks)
            .AddSingleton(provider => provider.GetRequiredService<IOptions<TaskHubOptions>>().Value)
            .AddSingleton<TaskHubHost>()
            .AddSingleton<TaskHubEngine>()
            .AddSingleton<IIncidentEngine>(provider => provider.GetRequiredService<TaskHubEngine>())
            .AddHostedService(provider => provider.GetRequiredService<TaskHubHost>());
    }
}

/// <summary>Which code runs for each name of an orchestrator or an activity.</summary>
public sealed class TaskHubTasks
{
    private readonly Dictionary<string, Func<IServiceProvider, ITaskOrchestrator>> _orchestrators = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<IServiceProvider, ITaskActivity>> _activities = new(StringComparer.Ordinal);

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

    internal bool TryFindOrchestrator(string name, [NotNullWhen(true)] out Func<IServiceProvider, ITaskOrchestrator>? create) =>
        _orchestrators.TryGetValue(name, out create);

    internal bool TryFindActivity(string name, [NotNullWhen(true)] out Func<IServiceProvider, ITaskActivity>? create) =>
        _activities.TryGetValue(name, out create);
}

/// <summary>How orchestrators and activities are run on the machines of one host.</summary>
public sealed class TaskHubOptions
{
    /// <summary>
    /// New instances carry this version, and one of a newer version is left to a newer program. What to do with an older one is
    /// the orchestrator's to say. Null: versions are not looked at.
    /// </summary>
    public string? Version { get; set; }

    /// <summary>Whether an instance of this version is left to a newer program.</summary>
    public bool IsNewer(string? version) => Version is not null && version is not null && VersioningSettings.CompareVersions(version, Version) > 0;

    /// <summary>
    /// The service finishes by itself what is under way when it is told to stop, as the SQLite one does. For any other the
    /// worker waits, looking once a second.
    /// </summary>
    public bool ServiceFinishesItsWork { get; set; }

    /// <inheritdoc cref="IIncidentEngine.IsShared"/>
    public bool IsShared { get; set; } = true;

    /// <summary>Null when the service can be written, otherwise what is wrong, in words. Without it an instance is looked up.</summary>
    public Func<CancellationToken, Task<string?>>? CheckHealth { get; set; }

    /// <summary>Runs an activity, given its name and what it does: twice, or not at all, as at-least-once delivery may. For tests.</summary>
    internal Func<string, Func<Task<object?>>, Task<object?>>? AroundActivity { get; set; }
}

public static class IncidentTaskHub
{
    /// <summary>
    /// Runs incidents in this process. Needs a <see cref="DurableTask.Core.IOrchestrationService"/> and its client; Azure
    /// Functions brings a hub of its own.
    /// </summary>
    public static IServiceCollection AddIncidentTaskHub(this IServiceCollection services) =>
        services.AddTaskHub(tasks => tasks.AddIncidents(), hub => hub.Version = IncidentOrchestrator.Version);

    public static TaskHubTasks AddIncidents(this TaskHubTasks tasks) => tasks
        .AddOrchestrator(IncidentOrchestrator.Name, _ => new IncidentOrchestrator())
        .AddActivity(Diagnose.Name, provider => provider.GetRequiredService<Diagnose>())
        .AddActivity(OpenGate.Name, provider => provider.GetRequiredService<OpenGate>())
        .AddActivity(ReviewGate.Name, provider => provider.GetRequiredService<ReviewGate>())
        .AddActivity(RunSteps.Name, provider => provider.GetRequiredService<RunSteps>())
        .AddActivity(Recheck.Name, provider => provider.GetRequiredService<Recheck>())
        .AddActivity(UndoSteps.Name, provider => provider.GetRequiredService<UndoSteps>())
        .AddActivity(CheckSuppression.Name, provider => provider.GetRequiredService<CheckSuppression>())
        .AddActivity(PagePerson.Name, provider => provider.GetRequiredService<PagePerson>())
        .AddActivity(EndIncident.Name, provider => provider.GetRequiredService<EndIncident>());
}
