using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Http;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Webhook;

public static class WebhookRegistration
{
    /// <summary>The channel <c>webhook</c>.</summary>
    public static IServiceCollection AddWebhook(this IServiceCollection services)
    {
        services.AddOptions<WebhookOptions>().BindConfiguration(WebhookOptions.SectionName);
        services.AddOutboundClient(WebhookNotifier.Name);
        return services.AddSingleton<INotifier, WebhookNotifier>();
    }
}
