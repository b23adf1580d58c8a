using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Integrations.Notifications;
using Runbooks.Integrations.OnCall;
using Runbooks.Publishing;
using Runbooks.Settings;

namespace Microsoft.Extensions.DependencyInjection;

public static class ChannelsServices
{
    public static IServiceCollection AddChannels(this IServiceCollection services) => services
        .AddTeams()
        .AddSlack()
        .AddEmail()
        .AddPagerDuty()
        .AddWebhook()
        .AddOnCallSchedules();

    /// <summary>The contacts of the rule set, and the calendars beside them.</summary>
    /// <param name="none">Who is asked while there are no contacts.</param>
    public static IServiceCollection AddContactsOfRuleSet(this IServiceCollection services, ContactBook? none = null) => services
        .AddContacts(provider => provider.StartingContacts(), none)
        .AddSingleton<ReadBesideContacts>(
            provider => (name, _) => Task.FromResult(provider.GetRequiredService<RuleSetStatus>().FindCalendar(name)));

    /// <summary>The channel <c>email</c>.</summary>
    public static IServiceCollection AddEmail(this IServiceCollection services)
    {
        services.AddSettings<EmailOptions>(EmailOptions.SectionName);
        services.AddAzure().AddOutboundClient(AcsTransport.Client);
        return services
            .AddSingleton<SmtpTransport>()
            .AddSingleton<AcsTransport>()
            .AddSingleton<IMailTransport>(provider =>
                string.IsNullOrEmpty(provider.GetRequiredService<IOptions<EmailOptions>>().Value.AcsEndpoint)
                    ? provider.GetRequiredService<SmtpTransport>()
                    : provider.GetRequiredService<AcsTransport>())
            .AddSingleton<INotifier, EmailNotifier>();
    }

    /// <summary>
    /// PagerDuty, Grafana OnCall and calendars. A calendar's address comes from the contacts: it has to be on the internet, or named in
    /// the settings.
    /// </summary>
    public static IServiceCollection AddOnCallSchedules(this IServiceCollection services)
    {
        services.AddSettings<OnCallOptions>(OnCallOptions.SectionName);
        services.AddSettings<PagerDutyOptions>(PagerDutyOptions.SectionName);
        services.AddSettings<GrafanaOnCallOptions>(GrafanaOnCallOptions.SectionName);
        services.AddOutboundClient(PagerDutySchedules.Client);
        services.AddOutboundClient(GrafanaOnCallSchedules.Client);
        services.AddHttpClient(CalendarSchedules.Client)
            .ConfigureHttpClient(client => client.Timeout = TimeSpan.FromSeconds(30))
            .ConfigurePrimaryHttpMessageHandler(provider => new EgressGuard(
                [.. provider.GetRequiredService<IOptions<OnCallOptions>>().Value.AllowedHosts],
                $"{OnCallOptions.SectionName}:{nameof(OnCallOptions.AllowedHosts)}").CreateHandler())
            .RemoveAllLoggers();
        return services
            .AddSingleton<IOnCallSource, PagerDutySchedules>()
            .AddSingleton<IOnCallSource, GrafanaOnCallSchedules>()
            .AddSingleton<IOnCallSource, CalendarSchedules>();
    }

    /// <summary>The channel <c>outbox</c>: messages as files. With it alone, every contact that a runbook names is reached there.</summary>
    public static IServiceCollection AddOutbox(this IServiceCollection services)
    {
        services.AddSettings<OutboxOptions>(OutboxOptions.SectionName);
        return services.AddSingleton<INotifier, OutboxNotifier>();
    }

    /// <summary>Everybody is reached in the outbox: nobody has to be listed to practise.</summary>
    public static IServiceCollection AddEveryoneInOutbox(this IServiceCollection services) =>
        services.AddOutbox().AddSingleton(ContactBook.EveryoneOn(OutboxNotifier.Name));

    /// <summary>The channel <c>pagerduty</c>.</summary>
    public static IServiceCollection AddPagerDuty(this IServiceCollection services) => services
        .AddChannel<PagerDutyOptions, PagerDutyNotifier>(PagerDutyOptions.SectionName, PagerDutyNotifier.Name);

    /// <summary>The channels <c>slack</c> and <c>slackWebhook</c>.</summary>
    public static IServiceCollection AddSlack(this IServiceCollection services) => services
        .AddChannel<SlackOptions, SlackNotifier>(SlackOptions.SectionName, SlackNotifier.Name)
        .AddSingleton<INotifier, SlackWebhookNotifier>();

    /// <summary>The channel <c>teams</c>.</summary>
    public static IServiceCollection AddTeams(this IServiceCollection services) => services
        .AddChannel<TeamsOptions, TeamsNotifier>(TeamsOptions.SectionName, TeamsNotifier.Name);

    /// <summary>The channel <c>webhook</c>.</summary>
    public static IServiceCollection AddWebhook(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<WebhookOptions>, WebhookSecretStrength>());
        return services.AddChannel<WebhookOptions, WebhookNotifier>(WebhookOptions.SectionName, WebhookNotifier.Name);
    }

    private static IServiceCollection AddChannel<TOptions, TNotifier>(this IServiceCollection services, string section, string client)
        where TOptions : class
        where TNotifier : class, INotifier
    {
        services.AddSettings<TOptions>(section);
        services.AddOutboundClient(client);
        return services.AddSingleton<INotifier, TNotifier>();
    }
}
