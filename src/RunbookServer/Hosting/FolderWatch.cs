using Runbooks.Notifications;
using Runbooks.Publishing;
using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>Tells that files of a folder have changed.</summary>
internal static class FolderWatch
{
    /// <summary>Editors write a file in several steps; this long after the last one it is read.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    /// <summary>What could not be read is looked at again after this, since nobody tells a second time.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(30);

    /// <param name="filter">Which files, as <see cref="FileSystemWatcher.Filter"/> has it.</param>
    /// <param name="changed">False when it has to be looked at again.</param>
    /// <param name="below">Those in folders below it too.</param>
    public static async Task RunAsync(string folder, string filter, Func<CancellationToken, Task<bool>> changed, CancellationToken stoppingToken, bool below = false)
    {
        using var changes = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(folder, filter) { IncludeSubdirectories = below };
        watcher.Changed += (_, _) => changes.Release();
        watcher.Created += (_, _) => changes.Release();
        watcher.Deleted += (_, _) => changes.Release();
        watcher.Renamed += (_, _) => changes.Release();
        watcher.EnableRaisingEvents = true;
        var isRead = true;
        while (!stoppingToken.IsCancellationRequested)
        {
            await changes.WaitAsync(isRead ? Timeout.InfiniteTimeSpan : Again, stoppingToken);
            while (await changes.WaitAsync(Quiet, stoppingToken))
            {
            }

            isRead = await changed(stoppingToken);
        }
    }
}

/// <summary>Takes over changed files of the rule set at once, and not only when it is looked at again.</summary>
internal sealed class RuleSetWatch(RunbookFolder folder, RuleSetRefresh refresh) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        FolderWatch.RunAsync(folder.Path, "*", LookAsync, stoppingToken, below: true);

    /// <summary>Where it fails, the next round tries again.</summary>
    private async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        await refresh.RefreshAsync(told: true, cancellationToken);
        return true;
    }
}

/// <summary>Takes over a changed contacts file while the host runs.</summary>
internal sealed class ContactsWatch(string file, ContactsReload reload, ILogger<ContactsWatch> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        FolderWatch.RunAsync(Path.GetDirectoryName(Path.GetFullPath(file))!, Path.GetFileName(file), ReloadAsync, stoppingToken);

    /// <returns>False when it could not be read.</returns>
    internal Task<bool> ReloadAsync(CancellationToken cancellationToken)
    {
        try
        {
            reload.Take(File.Exists(file) ? RunbookFolder.Read(file) : null);
            return Task.FromResult(true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CommandException)
        {
            logger.ContactsUnreadable(failure.Message);
            return Task.FromResult(false);
        }
    }
}
