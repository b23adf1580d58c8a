namespace Runbooks.Watchdog;

/// <summary>
/// Pages once about a file that a process cannot use: the version before it stays in force there, and whoever changed it may not know.
/// It is over once no process has the trouble any more.
/// </summary>
public sealed class FileTroubles(FileReports reports, ISharedState state, FallbackNotifier fallback, UnendedAlerts unended, TimeProvider time) : IWatchdogJob
{
    public const string ThreadId = "runbooks-files";

    /// <summary>More are not ended one by one: whoever mends a file by trial sees to the rest.</summary>
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

        var wrong = record.WrongAt(time.GetUtcNow()).ToLookup(one => one.File.Name);
        foreach (var name in record.Told.Keys.Where(name => !wrong.Contains(name)))
        {
            await fallback.ShowOverAsync($"A file can be used again: {name}", "It was put right, it is not needed any more, or the process that could not use it has stopped.", ThreadId, record.Told[name].Pages, cancellationToken);
            await SaveAsync(name, null, cancellationToken);
        }

        foreach (var troubles in wrong)
        {
            await TellAsync(troubles.Key, [.. troubles.GroupBy(one => one.File.Mark)], record.Told.GetValueOrDefault(troubles.Key) ?? ToldFile.None, cancellationToken);
        }
    }

    /// <param name="troubles">What is wrong with the file, each with the processes that have it.</param>
    private async Task TellAsync(string name, IReadOnlyList<IGrouping<string, (string Process, WrongFile File)>> troubles, ToldFile told, CancellationToken cancellationToken)
    {
        // What is wrong no more is told again when it comes back.
        IReadOnlyList<string> still = [.. told.Marks.Where(mark => troubles.Any(trouble => trouble.Key == mark))];
        if (still.Count < told.Marks.Count)
        {
            told = told with { Marks = still };
            await SaveAsync(name, told, cancellationToken);
        }

        foreach (var trouble in troubles.Where(trouble => !told.Marks.Contains(trouble.Key)).ToList())
        {
            var processes = string.Join(", ", trouble.Select(one => one.Process).Where(process => process.Length > 0).Order(StringComparer.Ordinal));
            var page = await fallback.PageAsync(
                $"A file cannot be used: {name}",
                $"What was in force before stays in force until it is mended.{(name == RunbookVersions.Set ? " A runbook that never was is not: alerts for it are ignored." : "")}"
                + $"{(processes.Length > 0 ? $" Processes that cannot use it so far: {processes}." : "")}\n{string.Join('\n', trouble.First().File.Lines)}",
                ThreadId, $"{name}:{trouble.Key}", cancellationToken);

            // A page that reached nobody perhaps rings all the same.
            if (page.Sent.Count > 0)
            {
                // The same errors as before they were mended have the same alert.
                await unended.ForgetAsync(page.Sent, cancellationToken);
                told = new(page.Reached ? [.. told.Marks, trouble.Key] : told.Marks, [.. page.With(told.Pages).TakeLast(MaxPages)]);
                await SaveAsync(name, told, cancellationToken);
            }
        }
    }

    /// <summary>A page that an earlier version sent ends as any other, and is not sent again.</summary>
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
                FileRecord.Key, record => record?.Told.ContainsKey(name) == true ? record : (record ?? FileRecord.None).With(name, new ToldFile(marks, pages)), cancellationToken);
        }

        await state.RemoveAsync<ToldBefore>(ToldBefore.Key, _ => true, cancellationToken);
    }

    private async Task SaveAsync(string name, ToldFile? told, CancellationToken cancellationToken) =>
        await state.ChangeAsync<FileRecord>(FileRecord.Key, record => (record ?? FileRecord.None).With(name, told), cancellationToken);
}

/// <summary>As earlier versions kept it.</summary>
/// <param name="Marks">Of each file, what is wrong and was told; empty where it was mended.</param>
/// <param name="Pages">Of each file, what told of it.</param>
internal sealed record ToldBefore(IReadOnlyDictionary<string, string> Marks, IReadOnlyDictionary<string, IReadOnlyList<Delivery>>? Pages)
{
    public const string Key = "files-told";
}
