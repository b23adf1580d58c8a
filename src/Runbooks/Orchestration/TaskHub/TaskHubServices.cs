using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Runbooks.Engine;

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
