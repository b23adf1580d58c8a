using Microsoft.Extensions.Options;
using Runbooks.Integrations.Http;
using Runbooks.Integrations.Notifications.PagerDuty;
using Runbooks.Integrations.OnCall;
using Runbooks.Notifications;
using Runbooks.Settings;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The systems that contacts may take a schedule from.</summary>
public static class OnCallServices
{
    /// <summary>PagerDuty, Grafana OnCall and calendars. A calendar's address comes from the contacts: it has to be on the internet, or named in the settings.</summary>
    public static IServiceCollection AddOnCallSchedules(this IServiceCollection services)
    {
        services.AddSettings<OnCallOptions>(OnCallOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddSettings<PagerDutyOptions>(PagerDutyOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddSettings<GrafanaOnCallOptions>(GrafanaOnCallOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddOutboundClient(PagerDutySchedules.Client);
        services.AddOutboundClient(GrafanaOnCallSchedules.Client);
        services.AddHttpClient(CalendarSchedules.Client)
            .ConfigureHttpClient(client => client.Timeout = TimeSpan.FromSeconds(30))
            .ConfigurePrimaryHttpMessageHandler(provider => new EgressGuard([.. provider.GetRequiredService<IOptions<OnCallOptions>>().Value.AllowedHosts]).CreateHandler())
            .RemoveAllLoggers();
        return services
            .AddSingleton<IOnCallSource, PagerDutySchedules>()
            .AddSingleton<IOnCallSource, GrafanaOnCallSchedules>()
            .AddSingleton<IOnCallSource, CalendarSchedules>();
    }
}
