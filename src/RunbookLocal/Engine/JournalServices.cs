using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Engine;

namespace RunbookLocal.Engine;

public static class JournalServices
{
    /// <summary>
    /// The journal engine behind <see cref="IIncidentEngine"/>. Needs the database, and singletons of
    /// <see cref="WorkflowTable"/> and <see cref="ActivityTable"/>.
    /// </summary>
    public static IServiceCollection AddJournalEngine(this IServiceCollection services, Action<JournalOptions>? configure = null)
    {
        var options = new JournalOptions();
        configure?.Invoke(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton<JournalEngine>();
        services.AddSingleton<IIncidentEngine, JournalIncidentEngine>();
        return services.AddHostedService(provider => provider.GetRequiredService<JournalEngine>());
    }
}
