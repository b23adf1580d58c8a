using Microsoft.Extensions.Options;
using Runbooks.Model.Incidents;

namespace Runbooks.Guardrails;

/// <summary>Planned work: what looks broken then is no reason to act, and usually none to wake anybody.</summary>
public sealed class WindowGuardrail(IOptionsMonitor<SafetyOptions> options, TimeProvider time) : IGuardrail
{
    public Task<Objection?> ObjectAsync(GuardrailQuestion question, CancellationToken cancellationToken)
    {
        if (question.Incident.Steps.Count > 0)
        {
            // What has begun may finish: half a fix is worse than a whole one.
            return Task.FromResult<Objection?>(null);
        }

        var now = time.GetUtcNow();
        var open = options.CurrentValue.Windows
            .Where(window => Covers(window, question.Runbook.Id))
            .Select(window => (Window: window, Until: WindowCalendar.OpenUntil(window, now)))
            .Where(pair => pair.Until is not null)
            .OrderByDescending(pair => pair.Window.Effect)
            .Select(pair => new Objection(
                "window",
                $"Maintenance window '{pair.Window.Name}' is open until {GateWords.Clock(pair.Until!.Value)}; nothing runs in it.",
                pair.Window.Effect == WindowEffect.Suppress ? ObjectionSeverity.Suppress : ObjectionSeverity.DiagnoseOnly))
            .FirstOrDefault();
        return Task.FromResult(open);
    }

    private static bool Covers(MaintenanceWindow window, string runbookId) =>
        window.Runbooks.Count == 0 || window.Runbooks.Any(pattern => pattern.EndsWith('*')
            ? runbookId.StartsWith(pattern[..^1], StringComparison.Ordinal)
            : runbookId == pattern);
}
