using Microsoft.Extensions.Options;
using Runbooks.Catalog.Matching;

namespace Runbooks.Guardrails;

/// <summary>Every maintenance window that is in force: those of the settings, and those of the file beside the runbooks.</summary>
public sealed class MaintenanceWindows(IOptionsMonitor<SafetyOptions> options)
{
    private volatile IReadOnlyList<MaintenanceWindow> _ofFile = [];

    public void Replace(IReadOnlyList<MaintenanceWindow> ofFile) => _ofFile = ofFile;

    /// <returns>The strictest window that is open for this runbook, and when it ends; null when none is open.</returns>
    public (MaintenanceWindow Window, DateTimeOffset Until)? OpenFor(string runbookId, DateTimeOffset now)
    {
        var open = options.CurrentValue.Windows.Concat(_ofFile)
            .Where(window => Covers(window, runbookId))
            .Select(window => (Window: window, Until: MaintenanceCalendar.OpenUntil(window, now)))
            .Where(pair => pair.Until is not null)
            .OrderByDescending(pair => pair.Window.Effect)
            .Select(pair => (pair.Window, pair.Until!.Value))
            .ToList();
        return open.Count == 0 ? null : open[0];
    }

    private static bool Covers(MaintenanceWindow window, string runbookId) =>
        window.Runbooks.Count == 0 || window.Runbooks.Any(pattern => Glob.IsMatch(pattern, runbookId));
}
