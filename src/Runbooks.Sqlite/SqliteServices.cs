using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Sqlite;
using Runbooks.Sqlite.DurableTask;
using Runbooks.Sqlite.Store;
using Runbooks.Storage;

namespace Microsoft.Extensions.DependencyInjection;

public static class SqliteServices
{
    /// <summary>
    /// Everything that the host keeps in its data folder. Incidents, shared state and the task hub of
    /// <see cref="TaskHubServices.AddTaskHub"/> are in one database, <c>runbooks.db</c>, which is opened at first use and checked for damage
    /// while the host runs; evidence is in files beside it. Callers that wait for an incident hear of each change at once.
    /// </summary>
    /// <param name="survivesPowerCut">See <see cref="SqliteOptions.SurvivesPowerCut"/>.</param>
    public static IServiceCollection AddSqlite(
        this IServiceCollection services, string dataFolder, bool survivesPowerCut = true, Action<SqliteTaskHubOptions>? configureHub = null)
    {
        var hubOptions = new SqliteTaskHubOptions();
        configureHub?.Invoke(hubOptions);
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<TaskHubOptions>().Configure<SqliteDatabase>((hub, database) =>
        {
            (hub.ServiceFinishesItsWork, hub.IsShared) = (true, false);
            hub.CheckHealth = _ => database.Writer.CheckHealthAsync();
        });
        return services
            .AddSingleton(new SqliteOptions { Path = Path.Combine(dataFolder, "runbooks.db"), SurvivesPowerCut = survivesPowerCut })
            .AddSingleton(provider => new SqliteDatabase(
                provider.GetRequiredService<SqliteOptions>(), provider.GetRequiredService<ILogger<SqliteDatabase>>()))
            .AddSingleton<IIncidentStore>(provider => new SignallingIncidentStore(
                new SqliteIncidentStore(provider.GetRequiredService<SqliteDatabase>()),
                provider.GetRequiredService<IncidentChanges>(),
                provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<ISharedState>(provider => new SqliteSharedState(provider.GetRequiredService<SqliteDatabase>()))
            .AddSingleton<IEvidenceStore>(_ => new FileEvidenceStore(Path.Combine(dataFolder, "evidence")))
            .AddSingleton<IGenerationWitness>(_ => new FileWitness(Path.Combine(dataFolder, "generation")))
            .AddHostedService<IntegrityCheck>()
            .AddSingleton(hubOptions)
            .AddSingleton<SqliteOrchestrationService>()
            .AddSingleton<IOrchestrationService>(provider => provider.GetRequiredService<SqliteOrchestrationService>())
            .AddSingleton<IOrchestrationServiceClient>(provider => provider.GetRequiredService<SqliteOrchestrationService>());
    }
}
