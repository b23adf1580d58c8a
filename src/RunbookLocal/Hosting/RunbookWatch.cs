using Runbooks.Catalog;

namespace RunbookLocal.Hosting;

/// <summary>Takes over changed runbook files while the host runs; a broken one is reported and the good version stays.</summary>
internal sealed class RunbookWatch(RunbookFolder folder, RunbookCatalog catalog, ILogger<RunbookWatch> logger) : BackgroundService
{
    /// <summary>Editors write a file in several steps; this long after the last one it is read.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var changed = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(folder.Path);
        watcher.Changed += (_, _) => changed.Release();
        watcher.Created += (_, _) => changed.Release();
        watcher.Deleted += (_, _) => changed.Release();
        watcher.Renamed += (_, _) => changed.Release();
        watcher.EnableRaisingEvents = true;
        while (!stoppingToken.IsCancellationRequested)
        {
            await changed.WaitAsync(stoppingToken);
            while (await changed.WaitAsync(Quiet, stoppingToken))
            {
            }

            Reload();
        }
    }

    internal void Reload()
    {
        try
        {
            var result = catalog.Load(folder.Read());
            foreach (var error in result.Errors)
            {
                Log.RunbookBroken(logger, error.ToString());
            }

            Log.RunbooksLoaded(logger, catalog.Current.Count, string.Join(", ", result.Kept));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or Commands.CommandException)
        {
            Log.RunbookBroken(logger, failure.Message);
        }
    }
}
