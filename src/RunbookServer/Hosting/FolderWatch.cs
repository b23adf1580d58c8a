using Runbooks.Catalog;
using Runbooks.Guardrails;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Storage;
using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>Tells that files of a folder have changed.</summary>
internal static class FolderWatch
{
    /// <summary>Editors write a file in several steps; this long after the last one it is read.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    /// <param name="filter">Which files, as <see cref="FileSystemWatcher.Filter"/> has it.</param>
    /// <param name="below">Those in folders below it too.</param>
    public static async Task RunAsync(string folder, string filter, Func<CancellationToken, Task> changed, CancellationToken stoppingToken, bool below = false)
    {
        using var changes = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(folder, filter) { IncludeSubdirectories = below };
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

            await changed(stoppingToken);
        }
    }
}

/// <summary>Takes over changed runbook files while the host runs; a broken one is reported and the good version stays.</summary>
internal sealed class RunbookWatch(RunbookFolder folder, RunbookCatalog catalog, RunbookVersions versions, ILogger<RunbookWatch> logger) : BackgroundService
{
    private bool _broken;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => FolderWatch.RunAsync(folder.Path, "*", ReloadAsync, stoppingToken, below: true);

    internal async Task ReloadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var result = await versions.LoadAsync(folder.Read(), cancellationToken);
            foreach (var error in result.Errors)
            {
                Log.RunbookBroken(logger, error.ToString());
            }

            foreach (var warning in result.Warnings)
            {
                Log.FileDoubtful(logger, warning.ToString());
            }

            if (result.Kept.Count > 0)
            {
                Log.RunbooksKept(logger, string.Join(", ", result.Kept));
            }

            // A file that was saved as it was is no news, but after an error it is.
            if (result.Changes.Count > 0 || (_broken && result.Errors.Count == 0))
            {
                Log.RunbooksLoaded(logger, result.Changes.Count > 0 ? string.Join(", ", result.Changes) : "no file is broken any more", catalog.Current.Count);
            }

            _broken = result.Errors.Count > 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CommandException or StoreUnavailableException)
        {
            Log.RunbookBroken(logger, failure.Message);
        }
    }
}

/// <summary>Takes over a changed contacts file while the host runs.</summary>
internal sealed class ContactsWatch(string file, ContactsReload reload, ILogger<ContactsWatch> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        FolderWatch.RunAsync(Path.GetDirectoryName(Path.GetFullPath(file))!, Path.GetFileName(file), ReloadAsync, stoppingToken);

    internal Task ReloadAsync(CancellationToken cancellationToken)
    {
        try
        {
            reload.Take(File.Exists(file) ? RunbookFolder.Read(file) : null);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CommandException)
        {
            logger.ContactsUnreadable(failure.Message);
        }

        return Task.CompletedTask;
    }
}

/// <summary>Takes over changed maintenance windows while the host runs.</summary>
internal sealed class MaintenanceWatch(RunbookFolder folder, MaintenanceReload reload, ILogger<MaintenanceWatch> logger) : BackgroundService
{
    /// <summary>Reads them for the first time: a window that cannot be understood would otherwise be found out during the maintenance.</summary>
    /// <exception cref="CommandException">The file has errors, and no windows were in force before.</exception>
    public static async Task LoadAsync(IServiceProvider services, RunbookFolder folder, CancellationToken cancellationToken)
    {
        var file = folder.Windows is { } path ? RunbookFolder.Read(path) : null;
        if (await services.GetRequiredService<MaintenanceReload>().StartAsync(file, cancellationToken) is { Count: > 0 } errors)
        {
            throw new CommandException($"The maintenance windows have errors; nothing was started.\n{string.Join("\n", errors)}", ExitCode.Failed);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => FolderWatch.RunAsync(folder.Path, MaintenanceFile.FileName, ReloadAsync, stoppingToken);

    internal Task ReloadAsync(CancellationToken cancellationToken)
    {
        try
        {
            reload.Take(folder.Windows is { } file ? RunbookFolder.Read(file) : null);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CommandException)
        {
            Log.RunbookBroken(logger, failure.Message);
        }

        return Task.CompletedTask;
    }
}
