using Microsoft.Extensions.Options;
using RunbookLocal.Outbox;
using Runbooks.Sqlite;
using Runbooks.Sqlite.DurableTask;
using Runbooks.Sqlite.Store;
using Runbooks.Approvals;
using Runbooks.Catalog;
using Runbooks.Incidents.Intake;
using Runbooks.Incidents.Watch;
using Runbooks.Integrations;
using Runbooks.Integrations.Email;
using Runbooks.Integrations.Outbox;
using Runbooks.Integrations.PagerDuty;
using Runbooks.Integrations.Slack;
using Runbooks.Integrations.Teams;
using Runbooks.Integrations.Webhook;
using Runbooks.Messages;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Web;
using Runbooks.Web.Edge;
using Spectre.Console;

namespace RunbookLocal.Hosting;

/// <summary>Everything the host of one machine is made of.</summary>
internal static class LocalServices
{
    public static IServiceCollection AddRunbookLocal(this IServiceCollection services, LocalSettings settings, RunbookFolder runbooks, string apiKey) => services
        .AddRunbooks()
        .AddRunbooksWeb()
        .Configure<ApiKeyOptions>(keys =>
        {
            keys.Keys.Add(apiKey);
            keys.OpenPagesOnLoopback = settings.Practice;
        })
        .AddSqliteDatabase(settings.DataDirectory)
        .AddLocalStores(settings.DataDirectory)
        .AddSqliteTaskHub()
        .AddIncidentTaskHub()
        .AddSingleton(runbooks)
        .AddSingleton<LoadedRunbooks>(provider => () => provider.GetRequiredService<RunbookCatalog>().Current)
        .AddHostedService<RunbookWatch>()
        .AddIncidentWatchLoop()
        .AddIntegrations()
        .AddMessages(settings, runbooks);

    public static IServiceCollection AddChannels(this IServiceCollection services) => services
        .AddTeams()
        .AddSlack()
        .AddEmail()
        .AddPagerDuty()
        .AddWebhook();

    private static IServiceCollection AddMessages(this IServiceCollection services, LocalSettings settings, RunbookFolder runbooks)
    {
        services.AddSingleton(AnsiConsole.Console);
        services.AddOutbox().Configure<OutboxOptions>(outbox => outbox.Folder = settings.OutboxDirectory);
        services.AddSingleton<INotifier, TerminalNotifier>();
        services.AddChannels();
        services.AddContacts(settings, runbooks);

        // The key of one machine is made by the machine; settings may name others, to rotate.
        services.AddSingleton<IPostConfigureOptions<LinkSigningOptions>>(new PostConfigureOptions<LinkSigningOptions>(
            Options.DefaultName, options => options.Keys.Add(SecretFiles.LinkKey(settings.DataDirectory))));
        return services;
    }
}
