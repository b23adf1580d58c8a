using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Notifications.Email;
using Runbooks.Integrations.Notifications.Outbox;
using Runbooks.Integrations.Notifications.PagerDuty;
using Runbooks.Integrations.Notifications.Slack;
using Runbooks.Integrations.Notifications.Teams;
using Runbooks.Integrations.Notifications.Webhook;
using Runbooks.Notifications;

namespace RunbookFunctions.Contacts;

internal static class PeopleServices
{
    /// <summary>Who is asked and told, and on which channels. A folder for the outbox means development: everybody is reached there.</summary>
    public static IServiceCollection AddPeople(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddTeams().AddSlack().AddEmail().AddPagerDuty().AddWebhook();
        return configuration[$"{OutboxOptions.SectionName}:{nameof(OutboxOptions.Folder)}"] is { Length: > 0 }
            ? services.AddEveryoneInOutbox()
            : services
                .AddSingleton<ContactsSource>()

                // The container makes services synchronously; this one is made once, before the first message.
                .AddContacts(provider => provider.GetRequiredService<ContactsSource>().ReadAsync(CancellationToken.None).GetAwaiter().GetResult())
                .AddHostedService<ContactsRefresh>();
    }
}
