using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.AzureStorage;
using Runbooks.Catalog;
using Runbooks.Guardrails;

namespace RunbookFunctions.Catalog;

/// <summary>Takes over the maintenance windows that stand beside the runbooks, before the app takes its first alert and again while it runs.</summary>
internal sealed class MaintenanceRefresh(
    PublishedFiles published, MaintenanceReload reload, IOptions<RunbookSourceOptions> options, TimeProvider time, ILogger<MaintenanceRefresh> logger) : BackgroundService
{
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (await reload.StartAsync(await ReadAsync(cancellationToken), cancellationToken) is { Count: > 0 } errors)
        {
            throw new InvalidOperationException($"The maintenance windows have errors, and none were in force before: {string.Join(" | ", errors)}");
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.RefreshEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                reload.Take(await ReadAsync(stoppingToken));
            }
#pragma warning disable CA1031 // What is in force stays in force; the next round tries again.
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Log.RunbooksUnreadable(logger, failure);
            }
        }
    }

    private async Task<RunbookFile?> ReadAsync(CancellationToken cancellationToken)
    {
        if (options.Value.RunbooksContainer is { Length: > 0 } container)
        {
            return await published.FindAsync(container, MaintenanceFile.FileName, cancellationToken);
        }

        var file = Path.Combine(options.Value.RunbooksFolder ?? Path.Combine(AppContext.BaseDirectory, "runbooks"), MaintenanceFile.FileName);
        return File.Exists(file) ? new(MaintenanceFile.FileName, await File.ReadAllTextAsync(file, cancellationToken)) : null;
    }
}
