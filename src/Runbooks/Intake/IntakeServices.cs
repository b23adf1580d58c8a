using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Runbooks.Intake;

public static class IntakeServices
{
    /// <summary>The ways in. The host says which runbooks are loaded by adding <see cref="LoadedRunbooks"/>.</summary>
    public static IServiceCollection AddIncidentIntake(this IServiceCollection services)
    {
        services.TryAddSingleton<IncidentIntake>();
        services.TryAddSingleton<ManualStart>();
        return services;
    }
}
