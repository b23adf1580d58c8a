using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Storage;
using Runbooks.Storage;

namespace Runbooks.Sqlite.Store;

public static class StoreServices
{
    /// <summary>
    /// Incidents and shared state in the host's database, evidence as files beside it. Whoever waits for an incident
    /// hears of each change at once. The database is looked through for damage while the host runs.
    /// </summary>
    public static IServiceCollection AddLocalStores(this IServiceCollection services, string dataFolder) => services
        .AddSingleton<IIncidentStore>(provider => new SignallingIncidentStore(
            new SqliteIncidentStore(provider.GetRequiredService<SqliteDatabase>()), provider.GetRequiredService<IncidentChanges>(), provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<ISharedState>(provider => new SqliteSharedState(provider.GetRequiredService<SqliteDatabase>()))
        .AddSingleton<IEvidenceStore>(_ => new FileEvidenceStore(Path.Combine(dataFolder, "evidence")))
        .AddSingleton<IGenerationWitness>(_ => new FileWitness(Path.Combine(dataFolder, "generation")))
        .AddHostedService<IntegrityCheck>();
}
