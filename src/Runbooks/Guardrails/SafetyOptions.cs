using System.ComponentModel.DataAnnotations;
using Runbooks.Model.Definition;

namespace Runbooks.Guardrails;

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
