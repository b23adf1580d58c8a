using Microsoft.Extensions.DependencyInjection;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Outbox;

public static class OutboxServices
{
    /// <summary>The channel <c>outbox</c>: messages as files. With it alone, every contact that a runbook names is reached there.</summary>
    public static IServiceCollection AddOutbox(this IServiceCollection services)
    {
        services.AddOptions<OutboxOptions>().BindConfiguration(OutboxOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<INotifier, OutboxNotifier>();
    }

    /// <summary>Everybody is reached in the outbox: nobody has to be listed to practise.</summary>
    public static IServiceCollection AddEveryoneInOutbox(this IServiceCollection services) =>
        services.AddOutbox().AddSingleton(ContactBook.EveryoneOn(OutboxNotifier.Name));
}
