using Runbooks.Catalog;
using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>Takes over changed runbook files while the host runs; a broken one is reported and the good version stays.</summary>
internal sealed class RunbookWatch(RunbookFolder folder, RunbookCatalog catalog, ILogger<RunbookWatch> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => FolderWatch.RunAsync(folder.Path, "*", Reload, stoppingToken);

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
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CommandException)
        {
            Log.RunbookBroken(logger, failure.Message);
        }
    }
}
