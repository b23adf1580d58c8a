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

/// <summary>
/// Traces and metrics of the self-hosted program: by OTLP where OpenTelemetry's own variables name an address, and on <c>/metrics</c>.
/// A collector that is away costs nothing but its data.
/// </summary>
internal static class ServerTelemetry
{
    private const string ServiceName = "runbooks";
    private const string Prefix = "OTEL_";
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string Protocol = "OTEL_EXPORTER_OTLP_PROTOCOL";

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

    /// <summary>OpenTelemetry says nothing of a value that it does not understand, and goes on without it.</summary>
    internal static IEnumerable<string> FindUnusable(IConfiguration configuration)
    {
        if (configuration[Endpoint] is not { Length: > 0 } address)
        {
            yield break;
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            yield return Endpoint;
        }

        if (configuration[Protocol] is { Length: > 0 } and not ("grpc" or "http/protobuf"))
        {
            yield return Protocol;
        }
    }

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
