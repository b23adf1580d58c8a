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
                provider.GetRequiredService<ISharedState>(),
                provider.GetRequiredService<TimeProvider>(),
                $"{Guid.NewGuid():N}"))
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

    /// <summary>In practice the person at the keyboard is the only one.</summary>
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
    /// <param name="settings">Settings of outside systems, for a command that asks them.</param>
    /// <param name="host">What runbooks read of the host; from <paramref name="settings"/> unless given.</param>
    /// <param name="beside">Reads calendars beside the contacts.</param>
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

/// <summary>
/// Traces and metrics of the self-hosted program: by OTLP where OpenTelemetry's own variables name an address, and on <c>/metrics</c>.
/// A collector that is away costs nothing but its data.
/// </summary>
internal static class ServerTelemetry
{
    private const string ServiceName = "runbooks";
    private const string Prefix = "OTEL_";
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>The runtime's and the web server's own meters, without those that carry addresses of others.</summary>
    private static readonly string[] s_meters = [Instruments.Name, "Microsoft.AspNetCore.Hosting", "System.Runtime"];

    public static IReadOnlyList<string> Variables { get; } =
    [
        .. Environment.GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Select(variable => (string)variable.Key)
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)),
    ];

    /// <summary>Without the prefix RUNBOOK_ of our other variables, since these have one name in all programs.</summary>
    public static IConfigurationBuilder AddTelemetryVariables(this IConfigurationBuilder configuration) =>
        configuration.AddInMemoryCollection(Variables.Select(name => KeyValuePair.Create(name, Environment.GetEnvironmentVariable(name))));

    public static IServiceCollection AddServerTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<TelemetryOptions>(TelemetryOptions.SectionName);
        var otlp = configuration[Endpoint] is { Length: > 0 };
        var readers = configuration[$"{TelemetryOptions.SectionName}:{nameof(TelemetryOptions.Metrics)}"];
        var page = !string.Equals(readers, nameof(MetricsReaders.Nobody), StringComparison.OrdinalIgnoreCase);
        if (!otlp && !page)
        {
            return services;
        }

        services.AddHostedService<CounterStarts>();
        var telemetry = services.AddOpenTelemetry().ConfigureResource(Describe).WithMetrics(metrics =>
        {
            metrics.AddMeter(s_meters);
            _ = page ? metrics.AddPrometheusExporter() : metrics;
            _ = otlp ? metrics.AddOtlpExporter() : metrics;
        });
        return otlp ? telemetry.WithTracing(tracing => tracing.AddSource(Instruments.Name).AddOtlpExporter()).Services : services;
    }

    public static void MapMetrics(this WebApplication app)
    {
        var readers = app.Services.GetRequiredService<IOptions<TelemetryOptions>>().Value.Metrics;
        if (readers == MetricsReaders.Nobody)
        {
            return;
        }

        var scrape = ((IApplicationBuilder)app).New().UseOpenTelemetryPrometheusScrapingEndpoint(_ => true).Build();
        var page = app.MapMethods("/metrics", [HttpMethods.Get, HttpMethods.Head], () => (IResult)new ScrapedPage(scrape));
        if (readers == MetricsReaders.Viewer)
        {
            page.PageNeeds(Role.Viewer);
        }
    }

    /// <summary>OpenTelemetry's variables have the last word.</summary>
    private static void Describe(ResourceBuilder resource) => resource.Clear()
        .AddService(ServiceName, serviceVersion: typeof(ServerTelemetry).Assembly.GetName().Version?.ToString(3))
        .AddTelemetrySdk()
        .AddEnvironmentVariableDetector();

    private sealed class ScrapedPage(RequestDelegate scrape) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => scrape(httpContext);
    }
}

/// <summary>Who is asked: in practice everybody, through the outbox; otherwise the people in <c>contacts.yaml</c>.</summary>
internal static class ServerContacts
{
    private static readonly ContactBook s_nobody = ContactBook.NobodyBut("outbox", "terminal");

    public static IServiceCollection AddContacts(this IServiceCollection services, ServerSettings settings) =>
        settings.Practice
            ? services.AddSingleton(ContactBook.EveryoneOn("outbox", "terminal"))
            : BesideSettings(settings) is { } file
            ? services
                .AddContacts(provider => provider.StartingContacts(RunbookFolder.Read(file)), s_nobody)
                .AddSingleton(provider => Beside(file, name => provider.GetRequiredService<RuleSetStatus>().FindCalendar(name)))
                .AddHostedService(provider => ActivatorUtilities.CreateInstance<ContactsWatch>(provider, file))
            : services.AddContactsOfRuleSet(s_nobody);

    public static RuleSetContacts ForRuleSet(IServiceProvider services, ServerSettings settings) =>
        settings.Practice ? new NoContacts()
        : BesideSettings(settings) is { } file ? new ContactsElsewhere(services, () => TryRead(file))
        : new OwnContacts(services);

    private static RunbookFile? TryRead(string file)
    {
        try
        {
            return RunbookFolder.Read(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CommandException)
        {
            return null;
        }
    }

    /// <summary>Calendars beside the common contacts, or beside those of a team.</summary>
    internal static ReadBesideContacts Beside(string contacts, Func<string, string?> ofTeam) => async (name, cancellationToken) =>
    {
        if (name.Contains('/', StringComparison.Ordinal))
        {
            return ofTeam(name);
        }

        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(contacts))!, name);
        return File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken) : null;
    };

    /// <summary>What somebody should know before the first alert.</summary>
    public static void WarnAboutContacts(ContactBook book, IEnumerable<Runbook> runbooks, ServerSettings settings)
    {
        var asked = runbooks
            .SelectMany(runbook => new[] { runbook.ApprovalOf(Phase.Mitigation), runbook.ApprovalOf(Phase.Resolution) })
            .OfType<Approval>()
            .SelectMany(approval => approval.From.Concat(approval.Escalate.SelectMany(escalation => escalation.To)));
        if (book.Missing(asked) is { Count: > 0 } missing)
        {
            var names = ConsoleOutput.Plain(string.Join(", ", missing));
            ConsoleOutput.Line($"[yellow]Runbooks ask contacts that nobody is behind: {names}.[/] "
                + $"The fallback is asked instead; add them to {ContactsFile.FileName}.");
        }

        if (!settings.Practice && book.Names.Count == 0)
        {
            ConsoleOutput.Line($"[yellow]There is no {ContactsFile.FileName}: "
                + "every message goes to the outbox, nobody is called, and nobody may approve.[/] "
                + "Copy contacts.sample.yaml beside your runbooks; see docs/contacts.md.");
        }
    }

    /// <exception cref="CommandException">The contacts have errors.</exception>
    public static ContactBook Load(IServiceProvider services)
    {
        try
        {
            return services.GetRequiredService<ContactBook>();
        }
        catch (ContactsException broken)
        {
            throw new CommandException($"The contacts have errors; nothing was started.\n{broken.Message}", ExitCode.Failed);
        }
    }

    /// <summary>Beside the settings file, else beside the runbooks of a folder.</summary>
    internal static string? Find(string? configFile, RunbookFolder runbooks) => BesideSettings(configFile) ?? runbooks.Contacts;

    /// <summary>
    /// The text of the common contacts (beside the settings file, else with the runbooks) and of the teams' contacts, whatever is wrong
    /// with them. They are read before anything of the host is opened.
    /// </summary>
    internal static async Task<string> TextOfAsync(ServerSettings settings, IServiceProvider services, CancellationToken cancellationToken)
    {
        var people = await services.GetRequiredService<PublishedSets>().FindContactsAsync(cancellationToken);
        var common = BesideSettings(settings) is { } file ? RunbookFolder.Read(file) : people?.Common;
        var ofTeams = (people?.Teams ?? []).Select(team => team.Contacts);
        return string.Join('\n', ofTeams.Prepend(common).OfType<RunbookFile>().Select(contacts => contacts.Text));
    }

    private static string? BesideSettings(ServerSettings settings) => BesideSettings(settings.ConfigFile);

    private static string? BesideSettings(string? configFile)
    {
        if (configFile is null)
        {
            return null;
        }

        var contacts = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(configFile))!, ContactsFile.FileName);
        return File.Exists(contacts) ? contacts : null;
    }
}
