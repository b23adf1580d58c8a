namespace Runbooks.Watchdog;

/// <summary>
/// Pages once about a file that cannot be used: the version before it stays in force, and whoever changed it may not know.
/// </summary>
public sealed class FileTroubles(FileVersions files, ISharedState state, FallbackNotifier fallback, UnendedAlerts unended) : IWatchdogJob
{
    public const string ThreadId = "runbooks-files";

    private const string Key = "files-told";
    private const int MaxLines = 5;

    /// <summary>More are not ended one by one: whoever mends a file by trial sees to the rest.</summary>
    private const int MaxPages = 20;

    public string Name => ThreadId;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await files.SaveAsync(cancellationToken);
        var told = await state.FindAsync<Told>(Key, cancellationToken);
        foreach (var (name, version) in files.Known)
        {
            await CheckAsync(name, version, told, cancellationToken);
        }
    }

    private async Task CheckAsync(string name, FileVersion version, Told? before, CancellationToken cancellationToken)
    {
        var errors = version.Errors;
        var mark = errors.Count == 0 ? "" : TextHash.Of(version.Mark ?? string.Join('\n', errors), bytes: 8);
        var told = before?.Marks.GetValueOrDefault(name) ?? "";
        var pages = before?.Pages.GetValueOrDefault(name) ?? [];

        // A page that reached nobody perhaps rings all the same.
        if (mark == told && (mark.Length > 0 || pages.Count == 0))
        {
            return;
        }

        var more = errors.Count > MaxLines ? $"\nand {errors.Count - MaxLines} more" : "";
        if (mark.Length == 0)
        {
            await fallback.ShowOverAsync($"A file can be used again: {name}", "It was put right, or is not needed any more.", ThreadId, pages, cancellationToken);
            await SaveAsync(name, mark, [], cancellationToken);
        }
        else
        {
            var page = await fallback.PageAsync(
                $"A file cannot be used: {name}",
                $"What was in force before stays in force until it is mended.{(name == RunbookVersions.Set ? " A runbook that never was is not: alerts for it are ignored." : "")}\n{string.Join('\n', errors.Take(MaxLines))}{more}",
                ThreadId, $"{name}:{mark}", cancellationToken);
            if (page.Sent.Count > 0)
            {
                // The same errors as before they were mended have the same alert.
                await unended.ForgetAsync(page.Sent, cancellationToken);
                await SaveAsync(name, page.Reached ? mark : told, page.With(pages), cancellationToken);
            }
        }
    }

    private async Task SaveAsync(string name, string mark, IReadOnlyList<Delivery> pages, CancellationToken cancellationToken) => await state.ChangeAsync<Told>(
        Key,
        known => new(new Dictionary<string, string>(known?.Marks ?? new Dictionary<string, string>()) { [name] = mark })
        {
            Pages = new Dictionary<string, IReadOnlyList<Delivery>>(known?.Pages ?? new Dictionary<string, IReadOnlyList<Delivery>>()) { [name] = [.. pages.TakeLast(MaxPages)] },
        },
        cancellationToken);

    /// <param name="Marks">Of each file, the errors or the publication that was told of.</param>
    private sealed record Told(IReadOnlyDictionary<string, string> Marks)
    {
        /// <summary>Of each file, what told of its errors.</summary>
        public IReadOnlyDictionary<string, IReadOnlyList<Delivery>> Pages { get; init; } = new Dictionary<string, IReadOnlyList<Delivery>>();
    }
}
