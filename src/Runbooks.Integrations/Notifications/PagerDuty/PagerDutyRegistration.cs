using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Http;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.PagerDuty;

public static class PagerDutyRegistration
{
    /// <summary>The channel <c>pagerduty</c>.</summary>
    public static IServiceCollection AddPagerDuty(this IServiceCollection services)
    {
        services.AddOptions<PagerDutyOptions>().BindConfiguration(PagerDutyOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddOutboundClient(PagerDutyNotifier.Name);
        return services.AddSingleton<INotifier, PagerDutyNotifier>();
    }
}
