using System.Collections;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Runbooks.Settings;
using Runbooks.Telemetry;
using Runbooks.Watchdog;
using Runbooks.Web;
using Runbooks.Web.Access;
using Runbooks.Web.Http;
using Runbooks.Web.SignIn;

namespace RunbookServer.Hosting;

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
