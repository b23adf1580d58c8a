using System.Text.Json.Nodes;
using Runbooks.Catalog.Matching;
using Runbooks.Catalog.Schema;

namespace Runbooks.Guardrails;

/// <summary>Reads <c>windows.yaml</c>, beside the runbooks.</summary>
public static class MaintenanceFile
{
    public const string FileName = "windows.yaml";

    private static readonly string[] s_times = ["yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm"];

    /// <param name="file">How errors name the file.</param>
    /// <param name="runbooks">The ids that a window may name; null when that is not to be checked.</param>
    public static MaintenanceFileResult Read(string file, string text, IReadOnlyCollection<string>? runbooks = null)
    {
        var errors = new FileErrors(file, text, "docs/safety.md");
        if (YamlSection.Open(errors, "windows") is not { } root)
        {
            return new([], errors.Sorted) { Warnings = errors.Warnings };
        }

        var windows = root.Items("windows", required: true).Select(section => ReadOne(section, runbooks)).ToList();
        root.RejectOthers();
        return new(errors.Count > 0 ? [] : windows, errors.Sorted) { Warnings = errors.Warnings };
    }

    private static MaintenanceWindow ReadOne(YamlSection section, IReadOnlyCollection<string>? runbooks)
    {
        var window = new MaintenanceWindow
        {
            Name = section.Plain("name", required: true, longest: 120),
            Start = ReadStart(section),
            Duration = ReadDuration(section),
            Repeat = section.Text("repeat", longest: 500),
            TimeZone = section.Text("timeZone", "UTC", longest: 100),
            Effect = section.Choice("effect", MaintenanceEffect.DiagnoseOnly),
        };
        foreach (var pattern in section.TextList("runbooks"))
        {
            window.Runbooks.Add(pattern);
            if (runbooks is not null && !runbooks.Any(id => Glob.IsMatch(pattern, id)))
            {
                section.Errors.AtValue(
                    section.PathOf("runbooks"),
                    $"names '{Clip.To(pattern, 80)}', and no runbook has that id.",
                    $"{Suggestion.For(pattern, runbooks)}Name the id of a runbook, or leave 'runbooks' out for all.");
            }
        }

        Check(section, window);
        section.RejectOthers();
        return window;
    }

    private static string ReadDuration(YamlSection section) =>
        section.Duration("duration", TimeSpan.FromMinutes(1), TimeSpan.FromDays(30), required: true) is { } length
            ? DurationText.Format(length)
            : "1h";

    private static DateTime ReadStart(YamlSection section)
    {
        var text = section.Text("start", required: true, longest: 40);
        if (DateTime.TryParseExact(text, s_times, CultureInfo.InvariantCulture, DateTimeStyles.None, out var start)
            && start.Year >= MaintenanceCalendar.FirstYear)
        {
            return start;
        }

        if (text.Length > 0)
        {
            section.Errors.AtValue(
                section.PathOf("start"),
                $"is '{Clip.To(text, 40)}'.",
                "Write the wall-clock time in the window's own time zone, such as 2026-11-01T02:00:00.");
        }

        // A valid time, so that the rest is checked too.
        return new(MaintenanceCalendar.FirstYear, 1, 1);
    }

    private static void Check(YamlSection section, MaintenanceWindow window)
    {
        if (MaintenanceCalendar.Problem(window) is { } problem)
        {
            var zone = TimeZoneInfo.TryFindSystemTimeZoneById(window.TimeZone, out _);
            section.Errors.AtValue(section.PathOf(zone ? "repeat" : "timeZone"), $"cannot be used: {problem}", "");
        }
        else if (MaintenanceCalendar.IsNeverOpen(window))
        {
            section.Errors.Warn(
                WarningCodes.WindowNever,
                section.PathOf("repeat"),
                $"is '{Clip.To(window.Repeat, 80)}', which never comes true from {window.Start:yyyy-MM-dd} on: the window is never open.",
                "Correct 'start' or 'repeat'.");
        }
        else if (MaintenanceCalendar.IsAlwaysOpen(window))
        {
            section.Errors.Warn(
                WarningCodes.WindowAlways,
                section.PathOf("duration"),
                $"is {window.Duration}, and the window begins again before that is over: it never closes, and nothing runs any more.",
                "Make it shorter, or use the kill switch or 'mode' where that is meant.");
        }
    }
}

/// <param name="Windows">Empty when there are errors.</param>
public sealed record MaintenanceFileResult(IReadOnlyList<MaintenanceWindow> Windows, IReadOnlyList<CatalogError> Errors)
{
    public IReadOnlyList<CatalogError> Warnings { get; init; } = [];
}

/// <summary>Takes over the file at the start and whenever it changes. If it has errors, the windows in force stay.</summary>
public sealed class MaintenanceReload(MaintenanceWindows windows, FileVersions versions, ILogger<MaintenanceReload> logger)
{
    private RunbookFile? _looked;
    private IReadOnlyList<string> _unknown = [];

    /// <summary>Warns of windows that name unknown runbooks, once while they stay the same.</summary>
    public void WarnOfUnknown(IEnumerable<Runbook> inForce)
    {
        var unknown = windows.FindUnknown([.. inForce.Select(runbook => runbook.Id)]);
        foreach (var warning in unknown.Except(_unknown))
        {
            Log.FileWarning(logger, warning);
        }

        _unknown = unknown;
    }

    /// <summary>If the file has errors, the windows that were last in force are used: no host may run without them unnoticed.</summary>
    /// <returns>The errors, when there are no earlier windows either: the host does not start.</returns>
    public async Task<IReadOnlyList<CatalogError>> StartAsync(RunbookFile? file, CancellationToken cancellationToken)
    {
        if (Take(file) is not { Count: > 0 } errors)
        {
            return [];
        }

        if (await versions.FindLastAsync(MaintenanceFile.FileName, cancellationToken) is not { } last
            || MaintenanceFile.Read(last.Name, last.Text) is not { Errors.Count: 0 } good)
        {
            return errors;
        }

        windows.Replace(good.Windows);
        Log.WindowsLoaded(logger, good.Windows.Count);
        return [];
    }

    /// <param name="file">Null: no window of a file is in force any more.</param>
    public IReadOnlyList<CatalogError> Take(RunbookFile? file)
    {
        if (file == _looked)
        {
            return [];
        }

        _looked = file;
        var result = file is null ? new([], []) : MaintenanceFile.Read(file.Name, file.Text);
        foreach (var error in result.Errors)
        {
            Log.WindowsBroken(logger, error.ToString());
        }

        foreach (var warning in result.Warnings)
        {
            Log.FileWarning(logger, warning.ToString());
        }

        if (result.Errors.Count > 0)
        {
            versions.Refuse(MaintenanceFile.FileName, [.. result.Errors.Select(error => error.ToString())]);
        }
        else
        {
            versions.Use(MaintenanceFile.FileName, file?.Text);
            windows.Replace(result.Windows);
            Log.WindowsLoaded(logger, result.Windows.Count);
        }

        return result.Errors;
    }
}

/// <summary><see cref="MaintenanceFile"/> decides what is valid.</summary>
public static class MaintenanceSchema
{
    public static JsonObject Create() => SchemaParts.Document("Maintenance windows", "When the automation leaves targets alone.", new()
    {
        ["windows"] = SchemaParts.List(SchemaParts.Mapping("A window.", new()
        {
            ["name"] = SchemaParts.Text("As people see it."),
            ["start"] = SchemaParts.Text("Wall-clock time in the window's own time zone, such as 2026-11-01T02:00:00."),
            ["duration"] = SchemaParts.Duration("How long it lasts, at most 30d:"),
            ["repeat"] = SchemaParts.Text("A recurrence rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=SU; once when left out."),
            ["timeZone"] = SchemaParts.Text("An IANA name, such as Europe/Berlin. Default: UTC."),
            ["effect"] = SchemaParts.Choice<MaintenanceEffect>("What happens meanwhile. Default: diagnoseOnly."),
            ["runbooks"] = SchemaParts.TextList("Ids, or patterns with * and ?; every runbook when left out."),
        }, "name", "start", "duration"), "All windows."),
    }, "windows");
}
