using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Notifications.Outbox;

namespace RunbookFunctions.Contacts;

internal static class MessagesServices
{
    /// <summary>A folder for the outbox means development: everybody is reached there.</summary>
    public static bool IsDevelopment(IConfiguration configuration) => configuration[$"{OutboxOptions.SectionName}:{nameof(OutboxOptions.Folder)}"] is { Length: > 0 };

    /// <summary>Who is asked and told, and on which channels.</summary>
    public static IServiceCollection AddPeople(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChannels();
        return IsDevelopment(configuration) ? services.AddEveryoneInOutbox() : services.AddContactsOfRuleSet();
    }
}
