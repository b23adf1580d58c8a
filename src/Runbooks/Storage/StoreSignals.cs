using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Model.Storage;

namespace Runbooks.Storage;

public static class StoreSignals
{
    /// <summary>Wraps the store that was added before, so that readers of this process hear of each change.</summary>
    /// <exception cref="InvalidOperationException">No store was added before.</exception>
    public static IServiceCollection AddStoreSignals(this IServiceCollection services)
    {
        var store = services.LastOrDefault(service => service.ServiceType == typeof(IIncidentStore))
            ?? throw new InvalidOperationException("Add a store before its signals.");
        services.Remove(store);
        services.TryAddSingleton<IncidentChanges>();
        return services.AddSingleton<IIncidentStore>(provider => new SignallingIncidentStore(Make(store, provider), provider.GetRequiredService<IncidentChanges>()));
    }

    private static IIncidentStore Make(ServiceDescriptor store, IServiceProvider provider) =>
        (IIncidentStore)(store.ImplementationInstance
            ?? store.ImplementationFactory?.Invoke(provider)
            ?? ActivatorUtilities.CreateInstance(provider, store.ImplementationType!));
}
