using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RunbookFunctions.Catalog;
using Runbooks.AzureStorage;
using Runbooks.Catalog;
using Runbooks.Integrations.Notifications.Email;
using Runbooks.Integrations.Notifications.Outbox;
using Runbooks.Integrations.Notifications.PagerDuty;
using Runbooks.Integrations.Notifications.Slack;
using Runbooks.Integrations.Notifications.Teams;
using Runbooks.Integrations.Notifications.Webhook;
using Runbooks.Integrations.OnCall;
using Runbooks.Notifications;

namespace RunbookFunctions.Contacts;

internal static class MessagesServices
{
    /// <summary>Who is asked and told, and on which channels. A folder for the outbox means development: everybody is reached there.</summary>
    public static IServiceCollection AddPeople(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddTeams().AddSlack().AddEmail().AddPagerDuty().AddWebhook().AddOnCallSchedules();
        return configuration[$"{OutboxOptions.SectionName}:{nameof(OutboxOptions.Folder)}"] is { Length: > 0 }
            ? services.AddEveryoneInOutbox()
            : services
                .AddSingleton<ContactsSource>()
                .AddSingleton<ReadBesideContacts>(provider => provider.GetRequiredService<ContactsSource>().ReadTextAsync)

                // The container makes services synchronously; this one is made once, before the first message.
                .AddContacts(provider => provider.GetRequiredService<ContactsSource>().ReadAsync(CancellationToken.None).GetAwaiter().GetResult())
                .AddHostedService<ContactsRefresh>();
    }
}

/// <summary>The contacts file, from where the runbooks are: the container, else the folder.</summary>
internal sealed class ContactsSource(IOptions<RunbookSourceOptions> options, PublishedFiles published)
{
    /// <returns>Null where there is none.</returns>
    public Task<RunbookFile?> ReadAsync(CancellationToken cancellationToken) => ReadAsync(ContactsFile.FileName, cancellationToken);

    /// <summary>A file beside it.</summary>
    public async Task<string?> ReadTextAsync(string name, CancellationToken cancellationToken) => (await ReadAsync(name, cancellationToken))?.Text;

    private async Task<RunbookFile?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        if (options.Value.RunbooksContainer is { Length: > 0 } container)
        {
            return await published.FindAsync(container, name, cancellationToken);
        }

        var file = Path.Combine(options.Value.RunbooksFolder ?? Path.Combine(AppContext.BaseDirectory, "runbooks"), name);
        return File.Exists(file) ? new(name, await File.ReadAllTextAsync(file, cancellationToken)) : null;
    }
}

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
