using DurableTask.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Orchestration.TaskHub;

namespace Runbooks.Sqlite.DurableTask;

public static class SqliteTaskHubServices
{
    /// <summary>Keeps the task hub of <see cref="TaskHubServices.AddTaskHub"/> in the host's database, which has to be registered.</summary>
    public static IServiceCollection AddSqliteTaskHub(this IServiceCollection services, Action<SqliteTaskHubOptions>? configure = null)
    {
        var options = new SqliteTaskHubOptions();
        configure?.Invoke(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<TaskHubOptions>().Configure<SqliteDatabase>((hub, database) =>
        {
            hub.ServiceFinishesItsWork = true;
            hub.CheckHealth = _ => database.Writer.CheckHealthAsync();
        });
        return services
            .AddSingleton(options)
            .AddSingleton<SqliteOrchestrationService>()
            .AddSingleton<IOrchestrationService>(provider => provider.GetRequiredService<SqliteOrchestrationService>())
            .AddSingleton<IOrchestrationServiceClient>(provider => provider.GetRequiredService<SqliteOrchestrationService>());
    }
}
