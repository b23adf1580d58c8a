using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Outbox;
using Runbooks.Messages;

namespace RunbookFunctions.Messages;

internal static class PeopleServices
{
    /// <summary>Who is asked and told, and on which channels. A folder for the outbox means development: everybody is reached there.</summary>
    public static IServiceCollection AddPeople(this IServiceCollection services, IConfiguration configuration) =>
        configuration[$"{OutboxOptions.SectionName}:{nameof(OutboxOptions.Folder)}"] is { Length: > 0 }
            ? services.AddEveryoneInOutbox()
            : services.AddSingleton(new ContactBook([]));
}
