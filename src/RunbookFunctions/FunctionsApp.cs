using System.ComponentModel.DataAnnotations;
using Azure.Core;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Runbooks.AzureStorage;
using Runbooks.Integrations.Disk;
using Runbooks.Integrations.Notifications;
using Runbooks.Publishing;
using Runbooks.Settings;
using Runbooks.Storage;
using Runbooks.Telemetry;
using Runbooks.Watchdog;

namespace RunbookFunctions;

internal static class FunctionsApp
{
    public static (IHost App, IReadOnlyList<string> Problems) Build(FunctionsApplicationBuilder builder)
    {
        var unresolved = VaultReferences.Empty(builder.Configuration);
        builder.ConfigureFunctionsWebApplication();
        builder.AddTelemetry();

        builder.Services
            .AddRunbooks()
            .AddPublishedRunbooks(takesContacts: !MessagesServices.IsDevelopment(builder.Configuration))
            .AddRunbooksWeb()
            .AddPlatformSignIn()
            .AddWatchdog()
            .AddFileReports($"{Environment.MachineName} ({Environment.ProcessId})")
            .AddDurableEngine();

        builder.Services
            .AddAzureStorage()
            .AddStoreSignals()
            .Configure<DiskOptions>(disk => disk.ThisMachine = false); // before the settings, which have the last word

        builder.Services
            .AddPeople(builder.Configuration)
            .AddIntegrations();

        var app = builder.Build();
        VaultReferences.Report(unresolved, app.Services.GetRequiredService<ILoggerFactory>());

        // A misspelt setting would do nothing, and nobody would notice.
        var settings = new SettingsChecker(app.Services.GetServices<SettingsSection>(), [], _ => null);
        IReadOnlyList<string> problems =
        [
            .. VaultReferences.FindProblems(unresolved),
            .. MessagesServices.FindProblems(builder.Configuration, builder.Environment),
            .. settings.Check(builder.Configuration, onlyOurs: false).Select(problem => problem.Text),
        ];
        return (app, problems.Count > 0 ? problems : InvalidSettings.Find(app.Services));
    }
}

internal static class RuleSetServices
{
    public static IServiceCollection AddPublishedRunbooks(this IServiceCollection services, bool takesContacts)
    {
        services.AddSettings<RunbookSourceOptions>(RunbookSourceOptions.SectionName);
        return services.AddRuleSet(
            provider => Options(provider) switch
            {
                { RunbooksContainer: { Length: > 0 } container } => provider.RuleSetContainer(container),
                { RunbooksFolder: var folder } => new FolderPlace(folder ?? Path.Combine(AppContext.BaseDirectory, "runbooks")),
            },
            provider => takesContacts ? new OwnContacts(provider) : new NoContacts(),
            provider => new RuleSetOptions(Options(provider).RefreshEvery));
    }

    private static RunbookSourceOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<RunbookSourceOptions>>().Value;
}

internal sealed class RunbookSourceOptions
{
    public const string SectionName = "Runbooks";

    /// <summary>The blob container with the published runbooks; empty for those that are packaged with the app.</summary>
    public string? RunbooksContainer { get; set; }

    /// <summary>A folder in place of the packaged one, for development.</summary>
    public string? RunbooksFolder { get; set; }

    /// <summary>How often to look for a new publication.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan RefreshEvery { get; set; } = TimeSpan.FromSeconds(30);
}

internal static class MessagesServices
{
    /// <summary>A folder for the outbox means development: everybody is reached there.</summary>
    public static bool IsDevelopment(IConfiguration configuration) =>
        configuration[$"{OutboxOptions.SectionName}:{nameof(OutboxOptions.Folder)}"] is { Length: > 0 };

    /// <summary>Then nobody is called, and everybody with a link may approve, so it must not act on real systems. Azure sets WEBSITE_SITE_NAME.</summary>
    public static IEnumerable<string> FindProblems(
        IConfiguration configuration, IHostEnvironment environment) => IsDevelopment(configuration)
            && !environment.IsDevelopment()
            && configuration["WEBSITE_SITE_NAME"] is { Length: > 0 }
        ? [
            "The setting 'Outbox:Folder' is for development: with it nobody is called, "
                + "and everybody may approve. Remove it from the app, and name people in contacts.yaml.",
        ]
        : [];

    public static IServiceCollection AddPeople(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChannels();
        return IsDevelopment(configuration) ? services.AddEveryoneInOutbox() : services.AddContactsOfRuleSet();
    }
}

internal static class TelemetryServices
{
    private const string Connection = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>In the platform's form: <c>Authorization=AAD;ClientId=…</c>.</summary>
    private const string Authentication = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

    /// <summary>OpenTelemetry's own setting, which the Functions host reads too.</summary>
    private const string Otlp = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>
    /// Traces, metrics and logs to Application Insights and to a collector, where they are configured; otherwise to the host's log alone. The app's
    /// own calls are not traced, since the addresses of some channels are secrets.
    /// </summary>
    public static void AddTelemetry(this FunctionsApplicationBuilder builder)
    {
        // At this level each request and each call to storage is a line, and some addresses have a key in them.
        foreach (var chatty in (string[])["Azure.Core", "System.Net.Http.HttpClient", "Microsoft.AspNetCore"])
        {
            builder.Logging.AddFilter(chatty, LogLevel.Warning);
        }

        var (connection, otlp) = (builder.Configuration[Connection], builder.Configuration[Otlp] is { Length: > 0 });
        if (string.IsNullOrEmpty(connection) && !otlp)
        {
            return;
        }

        // Otherwise the host sends every log line of ours a second time, as text without its values, and the alerts on ended incidents cannot tell how
        // they ended.
        builder.Services.Configure<WorkerOptions>(worker => worker.Capabilities["WorkerOpenTelemetryEnabled"] = bool.TrueString);
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.Clear().AddService("runbooks").AddTelemetrySdk().AddEnvironmentVariableDetector())
            .WithTracing(tracing => tracing.AddSource(Instruments.Name))
            .WithMetrics(metrics => metrics.AddMeter(Instruments.Name));
        if (!string.IsNullOrEmpty(connection))
        {
            telemetry.UseAzureMonitorExporter(exporter =>
            {
                exporter.ConnectionString = connection;
                exporter.Credential = CredentialOf(builder.Configuration[Authentication]);

                // It would keep five traces a second, and in a storm whole incidents would be missing. Alerts depend on log lines.
                (exporter.TracesPerSecond, exporter.SamplingRatio, exporter.EnableTraceBasedLogsSampler) = (null, 1, false);
            });
        }

        if (otlp)
        {
            // Azure Monitor gets differences, and needs no start.
            builder.Services.AddHostedService<CounterStarts>();
            telemetry.WithTracing(tracing => tracing.AddOtlpExporter()).WithMetrics(metrics => metrics.AddOtlpExporter())
                .WithLogging(logging => logging.AddOtlpExporter(), logging => logging.IncludeFormattedMessage = true);
        }
    }

    /// <returns>Null where the resource still accepts the connection string alone.</returns>
    internal static TokenCredential? CredentialOf(string? authentication)
    {
        var parts = (authentication ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.Split('=', 2)).Where(pair => pair.Length == 2)
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        if (!parts.TryGetValue("Authorization", out var kind) || !kind.Equals("AAD", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        return parts.TryGetValue("ClientId", out var client)
            ? new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(client))
            : new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned);
    }
}
