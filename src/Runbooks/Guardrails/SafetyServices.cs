using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection.Extensions;
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
        services.TryAddSingleton<TeamActions>();
        services.TryAddSingleton<RunLimits>();
        services.TryAddSingleton<RunHistoryStore>();
        services.TryAddSingleton<ActionConcurrencyLimiter>();
        services.TryAddSingleton<FollowingMode>();
        services.TryAddSingleton<GuardrailEvaluator>();
        services.TryAddEnumerable([
            ServiceDescriptor.Singleton<IGuardrail, KillSwitchGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, ModeGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, TeamActionsGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, MaintenanceWindowGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, BreakerGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, LimitsGuardrail>(),
            ServiceDescriptor.Singleton<IGuardrail, SuccessRateGuardrail>(),
        ]);
        return services;
    }
}

/// <summary>What holds for every runbook of this installation.</summary>
public sealed class SafetyOptions
{
    public const string SectionName = "Safety";

    /// <summary>How far any runbook may go. The stricter of this and the runbook's own mode counts: <c>dryRun</c>, <c>approveAll</c>, <c>normal</c>.</summary>
    public RunMode Mode { get; set; } = RunMode.Normal;

    /// <summary>This many ineffective fixes of one runbook in a row open its breaker.</summary>
    [Range(1, 100)]
    public int BreakerAfter { get; set; } = 3;

    /// <summary>A self-healing runbook whose verified fixes came undone this often lately asks first.</summary>
    [Range(1, 100)]
    public int AskAfterRecurrences { get; set; } = 2;

    /// <summary>Steps of one action that may act at the same time, by the action's name; an action that is not named has no limit.</summary>
    public Dictionary<string, int> MaxConcurrent { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>When nothing is to run, as planned.</summary>
    public IList<MaintenanceWindow> Windows { get; } = [];
}

/// <summary>A window that cannot be understood stops the start-up: it would otherwise be found out during the maintenance.</summary>
internal sealed class SafetyOptionsValidator : IValidateOptions<SafetyOptions>
{
    public ValidateOptionsResult Validate(string? name, SafetyOptions options)
    {
        var problems = options.Windows
            .Select((window, index) => (string.IsNullOrWhiteSpace(window.Name) ? "it has no Name; write what people are told it is." : MaintenanceCalendar.Problem(window)) is { } problem ? $"{SafetyOptions.SectionName}:Windows:{index} ({window.Name}): {problem}" : null)
            .Concat(options.MaxConcurrent.Where(limit => limit.Value < 1).Select(limit => $"{SafetyOptions.SectionName}:MaxConcurrent:{limit.Key} must be at least 1."))
            .OfType<string>()
            .ToList();
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
