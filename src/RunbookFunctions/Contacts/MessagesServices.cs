using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Notifications.Email;
using Runbooks.Integrations.Notifications.Outbox;
using Runbooks.Integrations.Notifications.PagerDuty;
using Runbooks.Integrations.Notifications.Slack;
using Runbooks.Integrations.Notifications.Teams;
using Runbooks.Integrations.Notifications.Webhook;
using Runbooks.Integrations.OnCall;
using Runbooks.Notifications;
using Runbooks.Publishing;

namespace RunbookFunctions.Contacts;

internal static class MessagesServices
{
    /// <summary>A folder for the outbox means development: everybody is reached there.</summary>
    public static bool IsDevelopment(IConfiguration configuration) => configuration[$"{OutboxOptions.SectionName}:{nameof(OutboxOptions.Folder)}"] is { Length: > 0 };

    /// <summary>Who is asked and told, and on which channels.</summary>
    public static IServiceCollection AddPeople(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddTeams().AddSlack().AddEmail().AddPagerDuty().AddWebhook().AddOnCallSchedules();
        return IsDevelopment(configuration)
            ? services.AddEveryoneInOutbox()
            : services
                .AddContacts(provider => provider.StartingContacts())
                .AddSingleton<ReadBesideContacts>(provider => (name, _) => Task.FromResult(provider.GetRequiredService<RuleSetStatus>().FindCalendar(name)));
    }
}
