using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Approvals;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Intake.Parsing.AzureMonitor;
using Runbooks.Notifications.Storms;
using Runbooks.Orchestration;
using Runbooks.Publishing;
using Runbooks.Settings;
using Runbooks.SignedLinks;
using Runbooks.Watchdog;

namespace Microsoft.Extensions.DependencyInjection;

public static class RunbooksServices
{
    /// <summary>
    /// The host adds an engine, <see cref="IIncidentStore"/>, <see cref="IEvidenceStore"/>, <see cref="ISharedState"/>, a
    /// <see cref="ContactBook"/> and its integrations.
    /// </summary>
    public static IServiceCollection AddRunbooks(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ActivityShutdown>();
        services.AddSettings<LinkSigningOptions>(LinkSigningOptions.SectionName);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LinkSigningOptions>, LinkKeys>());
        services.AddSettings<PublicAddressOptions>(PublicAddressOptions.SectionName);
        services.AddSettings<StormOptions>(StormOptions.SectionName);
        services.AddSettings<OnCallOptions>(OnCallOptions.SectionName);
        services.AddSettings<RunbookSettingsOptions>(RunbookSettingsOptions.SectionName);
        services.TryAddSingleton(
            provider => new HostSettings(provider.GetRequiredService<IOptions<RunbookSettingsOptions>>().Value.Settings));
        return services
            .AddAlerts()
            .AddRunbookCatalog()
            .AddSingleton<StepContextFactory>()
            .AddSingleton<CheckRunner>()
            .AddSingleton<GroundCheck>()
            .AddSingleton<RestoredRecords>()
            .AddSingleton<SystemHealth>()
            .AddSingleton<RunbookPreview>()
            .AddSingleton<StepGuard>()
            .AddSingleton<LostAttempts>()
            .AddSingleton<StepRunner>()
            .AddSingleton<StepUndoer>()
            .AddSingleton<CheckService>()
            .AddSingleton<HoldingNotifier>()
            .AddSingleton<NextIncident>()
            .AddSingleton<SettleWindow>()
            .AddSingleton<FollowUps>()
            .AddSingleton<EndHooks>()
            .AddSingleton<IEndHook, EndReport>()
            .AddSingleton<SuppressionService>()

            // Resolved late: an engine needs the activities, and one of them opens incidents.
            .AddSingleton<Func<IIncidentEngine?>>(services => services.GetService<IIncidentEngine>)
            .AddSingleton<LoadedMode>(services => id =>
                services.GetService<LoadedRunbooks>()?.Invoke().FirstOrDefault(runbook => runbook.Id == id)?.Mode)
            .AddSingleton<PinnedRunbooks>()
            .AddSingleton<FileVersions>()
            .AddSingleton<RunbookVersions>()
            .AddSingleton<RuleSetStatus>()
            .AddSingleton<LinkSigner>()
            .AddSingleton<DecisionLinks>()
            .AddSingleton<PlanBuilder>()
            .AddSingleton<ApprovalGateService>()
            .AddSingleton<ApprovalGateReview>()
            .AddSingleton<DiagnosisService>()
            .AddSingleton<PhaseRunner>()
            .AddSingleton<ApprovalService>()
            .AddSingleton<IncidentVerbService>()
            .AddSingleton<ClosedGuards>()
            .AddGuardrails()
            .AddSingleton<AddressSecrets>()
            .AddSingleton<CurrentContacts>()
            .AddSingleton<OnCallAnswers>()
            .AddSingleton<OnCallDirectory>()
            .AddSingleton<ChannelClient>()
            .AddSingleton<UnendedAlerts>()
            .AddSingleton<NotificationDispatcher>()
            .AddSingleton<IncidentNotifier>()
            .AddSingleton<StormRegistry>()
            .AddSingleton<StormMembers>()
            .AddSingleton<StormCards>()
            .AddSingleton<StormApprovalNotifier>()
            .AddSingleton<StormNewsDispatcher>()
            .AddSingleton<StormPager>()
            .AddSingleton<NotificationUpdater>()
            .AddSingleton<ApproverRules>()
            .AddSingleton<IGuardrail, ApproversGuardrail>()
            .AddSingleton<IncidentCards>()
            .AddSingleton<IncidentCloser>()
            .AddSingleton<EndFinisher>()
            .AddSingleton<IncidentPager>()
            .AddSingleton<Diagnose>()
            .AddSingleton<OpenGate>()
            .AddSingleton<ReviewGate>()
            .AddSingleton<RunSteps>()
            .AddSingleton<Recheck>()
            .AddSingleton<UndoSteps>()
            .AddSingleton<PagePerson>()
            .AddSingleton<CheckSuppression>()
            .AddSingleton<EndIncident>();
    }
}

public static class IntakeServices
{
    /// <summary>The host adds <see cref="LoadedRunbooks"/>.</summary>
    public static IServiceCollection AddIncidentIntake(this IServiceCollection services)
    {
        services.TryAddSingleton<AlertUpdates>();
        services.TryAddSingleton<UnmatchedAlerts>();
        services.TryAddSingleton<IncidentIntake>();
        services.TryAddSingleton<ManualStart>();
        services.TryAddSingleton<IncidentRetry>();
        return services;
    }
}

public static class AlertsServices
{
    /// <summary>The built-in senders. For another one, add another <see cref="IAlertParser"/> to the container.</summary>
    public static IServiceCollection AddAlerts(this IServiceCollection services)
    {
        services.TryAddEnumerable(
        [
            ServiceDescriptor.Singleton<IAlertParser, AzureMonitorParser>(),
            ServiceDescriptor.Singleton<IAlertParser, AlertmanagerParser>(),
            ServiceDescriptor.Singleton<IAlertParser, GrafanaParser>(),
            ServiceDescriptor.Singleton<IAlertParser, GenericParser>(),
            ServiceDescriptor.Singleton<IAlertParser, EventGridParser>(),
        ]);
        services.TryAddSingleton<AlertReader>();
        return services;
    }
}
