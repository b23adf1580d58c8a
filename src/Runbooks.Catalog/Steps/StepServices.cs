using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Runbooks.Catalog.Steps;

public static class StepServices
{
    /// <summary>The built-in check and action, and the catalog of all that are registered.</summary>
    public static IServiceCollection AddRunbookSteps(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ICheck, AlwaysCheck>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IAction, NoteAction>());
        services.TryAddSingleton<StepCatalog>();
        return services;
    }
}
