using Microsoft.Extensions.Options;

namespace Runbooks.Guardrails;

/// <summary>A window that cannot be understood stops the start-up: it would otherwise be found out during the maintenance.</summary>
internal sealed class SafetyOptionsValidator : IValidateOptions<SafetyOptions>
{
    public ValidateOptionsResult Validate(string? name, SafetyOptions options)
    {
        var problems = options.Windows
            .Select((window, index) => WindowCalendar.Problem(window) is { } problem ? $"{SafetyOptions.SectionName}:Windows:{index} ({window.Name}): {problem}" : null)
            .Concat(options.MaxConcurrent.Where(limit => limit.Value < 1).Select(limit => $"{SafetyOptions.SectionName}:MaxConcurrent:{limit.Key} must be at least 1."))
            .OfType<string>()
            .ToList();
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
