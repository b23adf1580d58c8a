using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Runbooks.Integrations.Notifications.Outbox;

namespace RunbookFunctions.Contacts;

internal static class MessagesServices
{
    /// <summary>A folder for the outbox means development: everybody is reached there.</summary>
    public static bool IsDevelopment(IConfiguration configuration) => configuration[$"{OutboxOptions.SectionName}:{nameof(OutboxOptions.Folder)}"] is { Length: > 0 };

    /// <summary>Nobody is called then, and whoever opens a link may approve: no way to act on real systems. Azure sets WEBSITE_SITE_NAME.</summary>
    public static IEnumerable<string> FindProblems(IConfiguration configuration, IHostEnvironment environment) => IsDevelopment(configuration) && !environment.IsDevelopment() && configuration["WEBSITE_SITE_NAME"] is { Length: > 0 }
        ? ["The setting 'Outbox:Folder' is for development: with it nobody is called, and everybody may approve. Remove it from the app, and name people in contacts.yaml."]
        : [];

    /// <summary>Who is asked and told, and on which channels.</summary>
    public static IServiceCollection AddPeople(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChannels();
        return IsDevelopment(configuration) ? services.AddEveryoneInOutbox() : services.AddContactsOfRuleSet();
    }
}
