using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RunbookFunctions.Catalog;
using Runbooks.Catalog;
using Runbooks.Integrations.AzureStorage;
using Runbooks.Integrations.Email;
using Runbooks.Integrations.Outbox;
using Runbooks.Integrations.PagerDuty;
using Runbooks.Integrations.Slack;
using Runbooks.Integrations.Teams;
using Runbooks.Integrations.Webhook;
using Runbooks.Messages;

namespace RunbookFunctions.Messages;

internal static class PeopleServices
{
    /// <summary>Who is asked and told, and on which channels. A folder for the outbox means development: everybody is reached there.</summary>
    public static IServiceCollection AddPeople(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddTeams().AddSlack().AddEmail().AddPagerDuty().AddWebhook();
        return configuration[$"{OutboxOptions.SectionName}:{nameof(OutboxOptions.Folder)}"] is { Length: > 0 }
            ? services.AddEveryoneInOutbox()
            : services.AddContacts(ReadContacts);
    }

    /// <summary>From where the runbooks are: the container, else the folder.</summary>
    private static RunbookFile? ReadContacts(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<RunbookSourceOptions>>().Value;
        if (options.RunbooksContainer is { Length: > 0 } container)
        {
            // The container makes services synchronously; this one is made once, before the first message.
            return services.GetRequiredService<PublishedFiles>().FindAsync(container, ContactsFile.FileName, CancellationToken.None).GetAwaiter().GetResult();
        }

        var file = Path.Combine(options.RunbooksFolder ?? Path.Combine(AppContext.BaseDirectory, "runbooks"), ContactsFile.FileName);
        return File.Exists(file) ? new(ContactsFile.FileName, File.ReadAllText(file)) : null;
    }
}
