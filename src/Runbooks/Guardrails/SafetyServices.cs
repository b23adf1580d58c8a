using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Catalog.Steps;
using Runbooks.Settings;

namespace Runbooks.Guardrails;

public static class SafetyServices
{
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

public sealed class SafetyOptions
{
    public const string SectionName = "Safety";

    /// <summary>
    /// How far any runbook may go: <c>dryRun</c>, <c>approveAll</c>, <c>normal</c>. The stricter of this and the runbook's own mode counts.
    /// </summary>
    public RunMode Mode { get; set; } = RunMode.Normal;

    /// <summary>Ineffective fixes of one runbook in a row that open its breaker.</summary>
    [Range(1, 100)]
    public int BreakerAfter { get; set; } = 3;

    /// <summary>Verified fixes of a self-healing runbook that came undone lately, after which it asks first.</summary>
    [Range(1, 100)]
    public int AskAfterRecurrences { get; set; } = 2;

    /// <summary>
    /// Steps of one action that may act at the same time: <c>Safety__MaxConcurrent__kubernetes.recyclePod</c>. App Service on Linux makes
    /// an underscore of the period, so <c>kubernetes_recyclePod</c> is the same action. An unknown name keeps the host from starting; an
    /// action that is not named has no limit.
    /// </summary>
    public Dictionary<string, int> MaxConcurrent { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <returns>The lower limit if the name is written both ways; null where the action has none.</returns>
    internal int? LimitOf(string action) =>
        MaxConcurrent.Where(limit => Names(limit.Key, action)).Min(limit => (int?)limit.Value);

    /// <seealso href="https://learn.microsoft.com/azure/app-service/configure-common"/>
    internal static bool Names(string written, string action) =>
        written.Equals(action, StringComparison.OrdinalIgnoreCase)
        || written.Equals(action.Replace('.', '_'), StringComparison.OrdinalIgnoreCase);

    public IList<MaintenanceWindow> Windows { get; } = [];
}

/// <summary>Otherwise a faulty window or limit would show only when it has no effect.</summary>
/// <param name="services">For the actions, which are made only if a limit names one: some of them read settings themselves.</param>
internal sealed class SafetyOptionsValidator(IServiceProvider services) : IValidateOptions<SafetyOptions>
{
    public ValidateOptionsResult Validate(string? name, SafetyOptions options)
    {
        var problems = options.Windows
            .Select(ProblemOf)
            .Concat(options.MaxConcurrent
                .Where(limit => limit.Value < 1)
                .Select(limit => $"{SafetyOptions.SectionName}:MaxConcurrent:{limit.Key} must be at least 1."))
            .Concat(FindUnknown(options))
            .OfType<string>()
            .ToList();
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static string? ProblemOf(MaintenanceWindow window, int index)
    {
        var problem = string.IsNullOrWhiteSpace(window.Name)
            ? "it has no Name; write what people are told it is."
            : MaintenanceCalendar.Problem(window);
        return problem is null ? null : $"{SafetyOptions.SectionName}:Windows:{index} ({window.Name}): {problem}";
    }

    private IEnumerable<string> FindUnknown(SafetyOptions options)
    {
        if (options.MaxConcurrent.Count == 0 || services.GetService<StepCatalog>() is not { } catalog)
        {
            return [];
        }

        List<string> known = [.. catalog.Actions.Select(action => action.Name)];
        return options.MaxConcurrent.Keys
            .Where(written => !known.Exists(action => SafetyOptions.Names(written, action)))
            .Select(written => $"{SafetyOptions.SectionName}:MaxConcurrent:{written} is the name of no action. "
                + $"{Suggestion.For(written, known)}docs/integrations.md lists them all.");
    }
}
