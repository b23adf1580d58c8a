using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Runbooks.Guardrails;
using Runbooks.Settings;
using Runbooks.Storage;
using Runbooks.Watchdog;
using Runbooks.Web.Assistant;
using Runbooks.Web.Console;
using Runbooks.Web.Decisions;
using Runbooks.Web.Incidents;
using Runbooks.Web.Intake;
using Runbooks.Web.Safety;
using Runbooks.Web.SignIn;
using Runbooks.Web.Slack;

namespace Microsoft.Extensions.DependencyInjection;

public static class RunbooksWebServices
{
    /// <summary>
    /// The handlers of the outside contract, for any host: each takes the request and its route values and returns a result.
    /// The host wraps its store in <see cref="SignallingIncidentStore"/>, so that waiting readers hear of changes.
    /// </summary>
    public static IServiceCollection AddRunbooksWeb(this IServiceCollection services)
    {
        services.AddAlerts().AddGuardrails().AddIncidentIntake().AddLostAlerts().AddRazorComponents();
        services.Configure<KeyManagementOptions>(EphemeralKeys.Use);
        services.AddSettings<ApiKeyOptions>(ApiKeyOptions.SectionName);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ApiKeyOptions>, ApiKeyStrength>());
        services.AddSettings<SignInOptions>(SignInOptions.SectionName);
        services.AddSettings<ConsoleOptions>(ConsoleOptions.SectionName);
        services.AddSettings<AssistantOptions>(AssistantOptions.SectionName);

        // Addresses have decision tokens and intake keys in them, which these categories would log.
        services.AddLogging(logging => logging
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore.Routing", LogLevel.Warning));

        services.AddSlackInteractions();

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new PracticeMode(false));
        services.TryAddSingleton<IncidentChanges>();
        services.TryAddSingleton<IncidentWaiter>();
        services.TryAddSingleton<PinnedRunbooks>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, AnswerHeaders>());
        return services
            .AddSingleton<HttpRequestRunner>()
            .AddSingleton<ApiKeyAuthentication>()
            .AddSingleton<PlatformPrincipal>()
            .AddSingleton<RefusedRequests>()
            .AddSingleton<RefusedSenders>()
            .AddSingleton<AccessGuard>()
            .AddSingleton<LinkAccess>()
            .AddSingleton<AlertsHandler>()
            .AddSingleton<ManualStartHandler>()
            .AddSingleton<IncidentsHandler>()
            .AddSingleton<IncidentVerbsHandler>()
            .AddSingleton<AuditHandler>()
            .AddSingleton<ReportHandler>()
            .AddSingleton<AssistantHandler>()
            .AddSingleton<SafetyHandler>()
            .AddSingleton<SafetyPageHandler>()
            .AddSingleton<SafetyWarnings>()
            .AddSingleton<LiveIncidents>()
            .AddSingleton<IncidentFormsHandler>()
            .AddSingleton<RunbookPagesHandler>()
            .AddSingleton<StatisticsHandler>()
            .AddSingleton<UnmatchedHandler>()
            .AddSingleton<EvidenceHandler>()
            .AddSingleton<DecisionHandler>()
            .AddSingleton<DecidePageHandler>()
            .AddSingleton<StormPageHandler>()
            .AddSingleton<ConsoleHandler>()
            .AddSingleton<HealthHandler>();
    }

    /// <summary>For the Functions host, which checks keys itself; adds alerts that come with a token.</summary>
    public static IServiceCollection AddPlatformSignIn(this IServiceCollection services)
    {
        services.AddSettings<SecureWebhookOptions>(SecureWebhookOptions.SectionName);
        services.TryAddSingleton<IConfigurationManager<OpenIdConnectConfiguration>>(provider =>
        {
            var webhook = provider.GetRequiredService<IOptions<SecureWebhookOptions>>().Value;
            var address = $"{webhook.Authority.ToString().TrimEnd('/')}/{webhook.TenantId}/v2.0/.well-known/openid-configuration";
            return new ConfigurationManager<OpenIdConnectConfiguration>(address, new OpenIdConnectConfigurationRetriever());
        });

        // Behind a platform every caller seems to come from this machine.
        services.PostConfigure<ApiKeyOptions>(keys => (keys.OpenPagesOnLoopback, keys.CheckedByPlatform) = (false, true));
        return services.AddSingleton<SecureWebhook>();
    }

    private static void AddSlackInteractions(this IServiceCollection services)
    {
        services.AddSettings<SlackInteractionOptions>(SlackInteractionOptions.SectionName);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SlackInteractionOptions>, SlackSecretStrength>());
        services.AddHttpClient(SlackReply.Client, client => client.Timeout = TimeSpan.FromSeconds(5))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false })
            .RemoveAllLoggers();
        services
            .AddSingleton<SlackReplayGuard>()
            .AddSingleton<SlackReply>()
            .AddSingleton<SlackDecisions>()
            .AddSingleton<SlackInteractionsHandler>()
            .AddSingleton<SlackBackgroundWorker>()
            .AddHostedService(provider => provider.GetRequiredService<SlackBackgroundWorker>());
    }
}
