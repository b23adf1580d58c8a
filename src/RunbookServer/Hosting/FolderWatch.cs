using System.Diagnostics;

namespace RunbookServer.Hosting;

/// <summary>
/// Tells at once that files of a folder have changed, where the file system does. It is for speed alone: whoever reads the files
/// also looks by the clock, since of network drives, switched links and replaced folders nobody is told.
/// </summary>
internal static class FolderWatch
{
    /// <summary>Editors write a file in several steps; this long after the last one it is read, or after <see cref="s_longestBusy"/> where something is written all the time.</summary>
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_longestBusy = TimeSpan.FromSeconds(5);

    /// <summary>Ends when there is nothing to watch by any more: the system has no watches left, the folder is gone, changes were lost.</summary>
    /// <param name="filter">Which files, as <see cref="FileSystemWatcher.Filter"/> has it.</param>
    /// <param name="below">Those in folders below it too.</param>
    public static async Task RunAsync(string folder, string filter, Func<CancellationToken, Task> changed, ILogger logger, CancellationToken stoppingToken, bool below = false)
    {
        Exception? failure = null;
        try
        {
            using var changes = new SemaphoreSlim(0);
            using var broken = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            using var watcher = new FileSystemWatcher(folder, filter) { IncludeSubdirectories = below };
            watcher.Changed += (_, _) => changes.Release();
            watcher.Created += (_, _) => changes.Release();
            watcher.Deleted += (_, _) => changes.Release();
            watcher.Renamed += (_, _) => changes.Release();
            watcher.Error += (_, error) =>
            {
                failure = error.GetException();
                broken.Cancel();
            };
            watcher.EnableRaisingEvents = true;
            while (failure is null)
            {
                await NextAsync(changes, broken.Token);
                await changed(stoppingToken);
            }
        }
        // Whatever the file system's trouble is: what changes is still seen, a little later.
        catch (Exception trouble) when (!stoppingToken.IsCancellationRequested)
        {
            logger.FolderUnwatched(folder, (failure ?? trouble).Message);
        }
    }

    private static async Task NextAsync(SemaphoreSlim changes, CancellationToken cancellationToken)
    {
        await changes.WaitAsync(cancellationToken);
        var busy = Stopwatch.StartNew();
        while (busy.Elapsed < s_longestBusy && await changes.WaitAsync(s_quiet, cancellationToken))
        {
        }
    }
}

/// <summary>Takes over changed files of the rule set at once, and not only when it is looked at again.</summary>
internal sealed class RuleSetWatch(RunbookFolder folder, RuleSetRefresh refresh, ILogger<RuleSetWatch> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        FolderWatch.RunAsync(folder.Path, "*", refresh.RefreshAsync, logger, stoppingToken, below: true);
}

/// <summary>Takes over a changed contacts file while the host runs.</summary>
internal sealed class ContactsWatch(string file, ContactsReload reload, TimeProvider time, ILogger<ContactsWatch> logger) : BackgroundService
{
    private string? _trouble;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        FolderWatch.RunAsync(Path.GetDirectoryName(Path.GetFullPath(file))!, Path.GetFileName(file), ReloadAsync, logger, stoppingToken),
        ReloadRegularlyAsync(stoppingToken));

    private async Task ReloadRegularlyAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(RuleSetOptions.Usual, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await ReloadAsync(stoppingToken);
        }
    }

    internal Task ReloadAsync(CancellationToken cancellationToken)
    {
        try
        {
            reload.Take(File.Exists(file) ? RunbookFolder.Read(file) : null);
            _trouble = null;
        }
        // Said once; the next round tries again.
        catch (Exception failure)
        {
            if (_trouble != failure.Message)
            {
                logger.ContactsUnreadable(failure.Message);
            }

            _trouble = failure.Message;
        }

        return Task.CompletedTask;
    }
}
