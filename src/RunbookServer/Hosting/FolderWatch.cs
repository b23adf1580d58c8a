namespace RunbookServer.Hosting;

/// <summary>Tells that files of a folder have changed.</summary>
internal static class FolderWatch
{
    /// <summary>Editors write a file in several steps; this long after the last one it is read.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    /// <param name="filter">Which files, as <see cref="FileSystemWatcher.Filter"/> has it.</param>
    public static async Task RunAsync(string folder, string filter, Action changed, CancellationToken stoppingToken)
    {
        using var changes = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(folder, filter);
        watcher.Changed += (_, _) => changes.Release();
        watcher.Created += (_, _) => changes.Release();
        watcher.Deleted += (_, _) => changes.Release();
        watcher.Renamed += (_, _) => changes.Release();
        watcher.EnableRaisingEvents = true;
        while (!stoppingToken.IsCancellationRequested)
        {
            await changes.WaitAsync(stoppingToken);
            while (await changes.WaitAsync(Quiet, stoppingToken))
            {
            }

            changed();
        }
    }
}
