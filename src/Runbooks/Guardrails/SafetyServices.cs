using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Runbooks.Settings;

namespace Runbooks.Guardrails;

public static class SafetyServices
{
    /// <summary>What keeps the automation from becoming the incident.</summary>
    public static IServiceCollection AddGuardrails(this IServiceCollection services)
    {
        services.AddSettings<SafetyOptions>(SafetyOptions.SectionName);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SafetyOptions>, SafetyOptionsValidator>());
        services.TryAddSingleton<KillSwitch>();
        services.TryAddSingleton<MaintenanceWindows>();
        services.TryAddSingleton<MaintenanceReload>();
        services.TryAddSingleton<SuppressedIncidents>();
        services.TryAddSingleton<RunLimits>();
        services.TryAddSingleton<RunHistoryStore>();
        services.TryAddSingleton<ActionConcurrencyLimiter>();
        services.TryAddSingleton<FollowingMode>();
        services.TryAddSingleton<GuardrailEvaluator>();
        services.TryAddEnumerable([
            ServiceDescriptor.Singleton<IGuardrail, KillSwitchGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, ModeGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, MaintenanceWindowGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, BreakerGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, LimitsGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, SuccessRateGuardrail>(),
        ]);
        return services;
    }
}
