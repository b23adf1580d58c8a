using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RunbookFunctions.Catalog;
using Runbooks.Notifications;

namespace RunbookFunctions.Contacts;

/// <summary>Reads the contacts again while the app runs, as often as the runbooks.</summary>
internal sealed class ContactsRefresh(
    ContactsSource source, ContactsReload reload, IOptions<RunbookSourceOptions> options, TimeProvider time, ILogger<ContactsRefresh> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.RefreshEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                reload.Take(await source.ReadAsync(stoppingToken));
            }
#pragma warning disable CA1031 // Whoever is in force stays in force; the next round tries again.
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Log.ContactsUnreadable(logger, failure);
            }
        }
    }
}
