using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Http;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Slack;

public static class SlackRegistration
{
    /// <summary>The channels <c>slack</c> and <c>slackWebhook</c>.</summary>
    public static IServiceCollection AddSlack(this IServiceCollection services)
    {
        services.AddOptions<SlackOptions>().BindConfiguration(SlackOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddOutboundClient(SlackNotifier.Name);
        return services.AddSingleton<INotifier, SlackNotifier>().AddSingleton<INotifier, SlackWebhookNotifier>();
    }
}
