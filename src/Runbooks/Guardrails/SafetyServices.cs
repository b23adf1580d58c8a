using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Runbooks.Guardrails;

public static class SafetyServices
{
    /// <summary>What keeps the automation from becoming the incident.</summary>
    public static IServiceCollection AddSafety(this IServiceCollection services)
    {
        services.AddOptions<SafetyOptions>().BindConfiguration(SafetyOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SafetyOptions>, SafetyOptionsValidator>());
        services.TryAddSingleton<KillSwitch>();
        services.TryAddSingleton<RunLimits>();
        services.TryAddSingleton<Ledgers>();
        services.TryAddSingleton<ActionSlots>();
        services.TryAddSingleton<GuardrailEvaluator>();
        services.TryAddEnumerable([
            ServiceDescriptor.Singleton<IGuardrail, KillSwitchGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, ModeGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, WindowGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, BreakerGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, LimitsGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, EfficacyGuardrail>(),
        ]);
        return services;
    }
}
