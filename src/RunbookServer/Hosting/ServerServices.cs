using System.Collections;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Runbooks.AzureStorage;
using Runbooks.Intake;
using Runbooks.Integrations.Disk;
using Runbooks.Integrations.Notifications;
using Runbooks.Integrations.OnCall;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Settings;
using Runbooks.SignedLinks;
using Runbooks.Storage;
using Runbooks.Telemetry;
using Runbooks.Watchdog;
using Runbooks.Web;
using Runbooks.Web.Access;
using Runbooks.Web.Http;
using Runbooks.Web.Pages;
using Runbooks.Web.SignIn;
using Spectre.Console;

namespace RunbookServer.Hosting;

internal static class ServerServices
{
    public static IServiceCollection AddRunbookServer(this IServiceCollection services, ServerSettings settings, RunbookFolder runbooks) => services
        .AddRunbooks()
        .AddPractice(settings)
        .AddRunbooksWeb()
        .AddKeys(settings)
        .AddStorage(settings)
        .AddIncidentTaskHub()
        .AddRuleSet(settings, runbooks)
        .AddWatchdogLoop()
        .AddIntegrations()
        .AddMessages(settings);

    private static IServiceCollection AddRuleSet(this IServiceCollection services, ServerSettings settings, RunbookFolder runbooks)
    {
        services.AddSingleton(runbooks).AddRuleSet(
            provider => runbooks.Place(provider.GetRequiredService<IConfiguration>()),
            provider => ServerContacts.ForRuleSet(provider, settings));
        return runbooks.Container is null ? services.AddHostedService<RuleSetWatch>() : services;
    }

    private static IServiceCollection AddStorage(this IServiceCollection services, ServerSettings settings) => settings.Storage == StorageKind.Azure
        ? services
            .AddStorageAccount()
            .AddStoreSignals()
            .Configure<DiskOptions>(disk => disk.ThisMachine = false) // before the settings, which have the last word
            .AddFileReports($"{Environment.MachineName} ({Environment.ProcessId})")
            .AddSingleton(provider => new WatchTurn(
                provider.GetRequiredService<ISharedState>(), provider.GetRequiredService<TimeProvider>(), $"{Guid.NewGuid():N}"))
        : services.AddSqlite(settings.DataDirectory);

    private static IServiceCollection AddKeys(this IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton(HostKeys.Of(settings));
        services.AddOptions<ApiKeyOptions>().Configure<HostKeys>((options, keys) =>
        {
            if (keys.ApiKey is { } key)
            {
                options.Keys.Add(key);
            }

            options.OpenPagesOnLoopback = settings.Practice;
        });

        // After the keys of the settings: the first key signs.
        services.AddOptions<LinkSigningOptions>().PostConfigure<HostKeys>((options, keys) =>
        {
            if (keys.LinkKey is { } key)
            {
                options.Keys.Add(key);
            }
        });
        return services;
    }

    private static IServiceCollection AddPractice(this IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton(new PracticeMode(settings.Practice));
        services.AddOptions<ConsoleOptions>()
            .Configure(console => console.Name = settings.Practice ? Environment.UserName : null)
            .PostConfigure<LoadedRunbooks>((console, loaded) => console.TryThis ??= StartupMessage.TryThis(settings, loaded()));
        return services;
    }

    private static IServiceCollection AddMessages(this IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton(AnsiConsole.Console);
        services.AddOutbox().Configure<OutboxOptions>(outbox => outbox.Folder = settings.OutboxDirectory);
        services.AddSingleton<INotifier, TerminalNotifier>();
        services.AddChannels();
        return services.AddContacts(settings);
    }
}

/// <summary>For commands that work on files alone: the catalog, every check, action and channel. None of them is called.</summary>
internal static class OfflineServices
{
    /// <param name="host">What runbooks read of the host; from <paramref name="settings"/> unless given.</param>
    public static ServiceProvider Build(IConfiguration? settings = null, HostSettings? host = null, ReadBesideContacts? beside = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton(settings ?? new ConfigurationBuilder().Build());
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(host ?? HostSettings.None);
        services.AddRunbookCatalog();
        services.AddAlerts();
        services.AddIntegrations();
        services.AddSingleton<AddressSecrets>().AddSingleton<ContactsFile>().AddChannels().AddOutbox();
        if (beside is not null)
        {
            services.AddSingleton(beside);
        }

        return services.BuildServiceProvider();
    }
}
