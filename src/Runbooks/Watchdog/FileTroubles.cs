using Microsoft.Extensions.Hosting;

namespace Runbooks.Watchdog;

/// <summary>Pages once about a file that a process cannot use. It is over once every process can use it.</summary>
public sealed class FileTroubles(
    FileReports reports, ISharedState state, FallbackNotifier fallback, UnendedAlerts unended, TimeProvider time) : IWatchdogJob
{
    public const string ThreadId = "runbooks-files";

    /// <summary>Older pages are not ended: somebody who mends a file by trial sees to the rest.</summary>
    private const int MaxPages = 20;

    public string Name => ThreadId;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await reports.WriteAsync(cancellationToken);
        await TakeOverAsync(cancellationToken);
        var record = await state.FindAsync<FileRecord>(FileRecord.Key, cancellationToken) ?? FileRecord.None;
        if (reports.IsWithdrawn)
        {
            return;
        }

        var wrong = record.WrongAt(time.GetUtcNow()).ToLookup(report => report.File.Name);
        foreach (var name in record.Told.Keys.Where(name => !wrong.Contains(name)))
        {
            await fallback.ShowOverAsync(
                $"A file can be used again: {name}",
                "It was put right, it is not needed any more, or the process that could not use it has stopped.",
                ThreadId,
                record.Told[name].Pages,
                cancellationToken);
            await SaveAsync(name, null, cancellationToken);
        }

        foreach (var troubles in wrong)
        {
            var told = record.Told.GetValueOrDefault(troubles.Key) ?? ToldFile.None;
            await TellAsync(troubles.Key, [.. troubles.GroupBy(report => report.File.Mark)], told, cancellationToken);
        }
    }

    private async Task TellAsync(
        string name,
        IReadOnlyList<IGrouping<string, (string Process, WrongFile File)>> troubles,
        ToldFile told,
        CancellationToken cancellationToken)
    {
        // A trouble that is gone pages again when it comes back.
        IReadOnlyList<string> still = [.. told.Marks.Where(mark => troubles.Any(trouble => trouble.Key == mark))];
        if (still.Count < told.Marks.Count)
        {
            told = told with { Marks = still };
            await SaveAsync(name, told, cancellationToken);
        }

        foreach (var trouble in troubles.Where(trouble => !told.Marks.Contains(trouble.Key)).ToList())
        {
            var page = await PageAsync(name, trouble, cancellationToken);

            // Sent also has the alerts that perhaps ring although the page reached nobody.
            if (page.Sent.Count > 0)
            {
                // The same errors have the same alert again, whose earlier end may still be tried.
                await unended.ForgetAsync(page.Sent, cancellationToken);
                told = new(page.Reached ? [.. told.Marks, trouble.Key] : told.Marks, [.. page.With(told.Pages).TakeLast(MaxPages)]);
                await SaveAsync(name, told, cancellationToken);
            }
        }
    }

    private Task<SystemPage> PageAsync(string name, IGrouping<string, (string Process, WrongFile File)> trouble, CancellationToken cancellationToken)
    {
        var ignored = name == RunbookVersions.Set ? " A runbook that never was is not: alerts for it are ignored." : "";
        var processes = string.Join(", ", trouble.Select(report => report.Process).Where(process => process.Length > 0).Order(StringComparer.Ordinal));
        var where = processes.Length > 0 ? $" Processes that cannot use it so far: {processes}." : "";
        return fallback.PageAsync(
            $"A file cannot be used: {name}",
            $"What was in force before stays in force until it is mended.{ignored}{where}\n{string.Join('\n', trouble.First().File.Lines)}",
            ThreadId,
            $"{name}:{trouble.Key}",
            cancellationToken);
    }

    /// <summary>Takes over the pages that an older version sent, so that they end and are not sent again.</summary>
    private async Task TakeOverAsync(CancellationToken cancellationToken)
    {
        if (await state.FindAsync<ToldBefore>(ToldBefore.Key, cancellationToken) is not { } before)
        {
            return;
        }

        foreach (var (name, pages) in before.Pages?.Where(file => file.Value.Count > 0) ?? [])
        {
            IReadOnlyList<string> marks = before.Marks.GetValueOrDefault(name) is { Length: > 0 } mark ? [mark] : [];
            await state.ChangeAsync<FileRecord>(
                FileRecord.Key,
                record => record?.Told.ContainsKey(name) == true ? record : (record ?? FileRecord.None).With(name, new ToldFile(marks, pages)),
                cancellationToken);
        }

        await state.RemoveAsync<ToldBefore>(ToldBefore.Key, _ => true, cancellationToken);
    }

    private async Task SaveAsync(string name, ToldFile? told, CancellationToken cancellationToken) =>
        await state.ChangeAsync<FileRecord>(FileRecord.Key, record => (record ?? FileRecord.None).With(name, told), cancellationToken);
}

/// <summary>The record of older versions.</summary>
internal sealed record ToldBefore(IReadOnlyDictionary<string, string> Marks, IReadOnlyDictionary<string, IReadOnlyList<Delivery>>? Pages)
{
    public const string Key = "files-told";
}

/// <summary>Each process reads its files for itself and reports what is wrong with them; the process with the watch tells people.</summary>
/// <param name="process">Null where no other process shares the store.</param>
public sealed class FileReports(FileVersions files, ISharedState state, TimeProvider time, HostProcess? process = null)
{
    private const int MaxLines = 5;

    /// <summary>Whether there may be a report of this process, or of an earlier one with the same name.</summary>
    private bool _mayStand = true;

    private volatile bool _isWithdrawn;

    private string Name => process?.Name ?? "";

    /// <summary>Whether this process is stopping: the reports then say nothing about it.</summary>
    public bool IsWithdrawn => _isWithdrawn;

    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        await files.SaveAsync(cancellationToken);
        var wrong = files.Known.Where(file => file.Value.Errors.Count > 0).Select(file => Of(file.Key, file.Value)).ToList();
        if (wrong.Count > 0 || _mayStand)
        {
            var now = time.GetUtcNow();
            await state.ChangeAsync<FileRecord>(
                FileRecord.Key, record => (record ?? FileRecord.None).With(Name, _isWithdrawn ? [] : wrong, now), cancellationToken);
            _mayStand = wrong.Count > 0;
        }
    }

    /// <summary>For good, when this process stops: its troubles are over, and no page names it.</summary>
    public async Task WithdrawAsync(CancellationToken cancellationToken)
    {
        _isWithdrawn = true;
        await WriteAsync(cancellationToken);
    }

    private static WrongFile Of(string name, FileVersion version)
    {
        IReadOnlyList<string> more = version.Errors.Count > MaxLines ? [$"and {version.Errors.Count - MaxLines} more"] : [];
        return new(name, TextHash.Of(version.Mark ?? string.Join('\n', version.Errors), bytes: 8), [.. version.Errors.Take(MaxLines), .. more]);
    }
}

public sealed record HostProcess(string Name);

public static class FileReportServices
{
    /// <summary>For a host that shares its store with other processes, one of which has the watch.</summary>
    public static IServiceCollection AddFileReports(this IServiceCollection services, string process) =>
        services.AddSingleton(new HostProcess(process)).AddHostedService<FileReportLoop>();
}

internal sealed class FileReportLoop(FileReports reports, TimeProvider time, ILogger<FileReportLoop> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var minute = new PeriodicTimer(TimeSpan.FromMinutes(1), time);
        while (await minute.WaitForNextTickAsync(stoppingToken))
        {
            await logger.TryPartAsync(FileTroubles.ThreadId, reports.WriteAsync, stoppingToken);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await logger.TryPartAsync(FileTroubles.ThreadId, reports.WithdrawAsync, cancellationToken);
    }
}

/// <param name="Reports">By process.</param>
/// <param name="Told">By file.</param>
internal sealed record FileRecord(IReadOnlyDictionary<string, FileReport> Reports, IReadOnlyDictionary<string, ToldFile> Told)
{
    public const string Key = "files-wrong";

    public static readonly FileRecord None = new(new Dictionary<string, FileReport>(), new Dictionary<string, ToldFile>());

    /// <summary>A process writes every minute. One that has not written for this long is gone.</summary>
    private static readonly TimeSpan s_heard = TimeSpan.FromMinutes(10);

    public FileRecord With(string process, IReadOnlyList<WrongFile> wrong, DateTimeOffset now)
    {
        if (wrong.Count == 0 && !Reports.ContainsKey(process))
        {
            return this;
        }

        IEnumerable<KeyValuePair<string, FileReport>> own = wrong.Count > 0 ? [KeyValuePair.Create(process, new FileReport(now, wrong))] : [];
        var others = Reports.Where(report => report.Key != process && report.Value.IsHeard(now, s_heard));
        return this with { Reports = others.Concat(own).ToDictionary() };
    }

    public FileRecord With(string name, ToldFile? told) => this with
    {
        Told = Told.Where(file => file.Key != name).Concat(told is null ? [] : [KeyValuePair.Create(name, told)]).ToDictionary(),
    };

    public IReadOnlyList<(string Process, WrongFile File)> WrongAt(DateTimeOffset now) =>
    [
        .. from report in Reports
            where report.Value.IsHeard(now, s_heard)
            from file in report.Value.Wrong
            select (report.Key, file),
    ];
}

internal sealed record FileReport(DateTimeOffset At, IReadOnlyList<WrongFile> Wrong)
{
    public bool IsHeard(DateTimeOffset now, TimeSpan within) => (now - At).Duration() < within;
}

/// <param name="Mark">The same for the same errors.</param>
internal sealed record WrongFile(string Name, string Mark, IReadOnlyList<string> Lines);

internal sealed record ToldFile(IReadOnlyList<string> Marks, IReadOnlyList<Delivery> Pages)
{
    public static readonly ToldFile None = new([], []);
}
