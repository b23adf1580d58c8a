using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;
using TestKit;
using TestKit.Storage;

namespace RunbookFunctions.Tests;

/// <summary>What the Functions app sends, by its own wiring.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public async Task CollectorThatIsNamed_GetsSpansAndMetrics()
    {
        var posts = new ConcurrentQueue<(string Path, string Body)>();
        await using var collector = await StartAsync(posts);
        var builder = FunctionsApplication.CreateBuilder([]);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Urls.Single(), ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf", ["OTEL_SERVICE_NAME"] = "functions-of-a-test",
        });
        builder.AddTelemetry();
        using var services = builder.Services.BuildServiceProvider();
        var (traces, metrics) = (services.GetRequiredService<TracerProvider>(), services.GetRequiredService<MeterProvider>());

        var store = new SignallingIncidentStore(new InMemoryIncidentStore(), new IncidentChanges(), TimeProvider.System);
        await store.OpenAsync(Some.Incident(), Some.Runbook(), _ => null, TestContext.Current.CancellationToken);
        await store.UpdateAsync(Some.Incident().Id, incident => incident.End(IncidentState.Failed, "It broke.", Some.Time.AddMinutes(1)), TestContext.Current.CancellationToken);
        traces.ForceFlush().ShouldBeTrue();
        metrics.ForceFlush().ShouldBeTrue();

        Sent("/v1/traces").ShouldContain("incident");
        Sent("/v1/traces").ShouldContain(Some.Incident().Id);
        Sent("/v1/traces").ShouldContain("functions-of-a-test");
        Sent("/v1/metrics").ShouldContain("runbook.incidents.closed");
        Runbooks.Log.Ended(services.GetRequiredService<ILogger<TelemetryTests>>(), "i", IncidentState.Failed, "It broke.");
        services.GetRequiredService<LoggerProvider>().ForceFlush().ShouldBeTrue();
        Sent("/v1/logs").ShouldContain("Incident i ended: Failed. It broke.");

        string Sent(string path) => string.Concat(posts.Where(post => post.Path == path).Select(post => post.Body));
    }

    /// <summary>What the template's alerts ask for: the event's name and its state, and in which table.</summary>
    [Fact]
    public async Task ApplicationInsights_GetsEventsWithTheirStateAndThoseWithAFailureAsExceptions()
    {
        var posts = new ConcurrentQueue<(string Path, string Body)>();
        await using var insights = await StartAsync(posts);
        await using var services = await StartExporterAsync(insights);
        var logger = services.GetRequiredService<ILogger<TelemetryTests>>();

        Runbooks.Log.Ended(logger, "i", IncidentState.Resolved, "It is well.");
        Runbooks.Log.UndoFailed(logger, "drain", "i", new TimeoutException("Too late."));
        services.GetRequiredService<LoggerProvider>().ForceFlush().ShouldBeTrue();

        var rows = Rows(posts);
        var ended = rows.Where(row => row.Contains("\"EventName\":\"Ended\"", StringComparison.Ordinal)).ShouldHaveSingleItem(string.Join('\n', posts));
        ended.ShouldContain("\"baseType\":\"MessageData\"");
        ended.ShouldContain("\"State\":\"Resolved\"");
        rows.Where(row => row.Contains("\"EventName\":\"UndoFailed\"", StringComparison.Ordinal)).ShouldHaveSingleItem().ShouldContain("\"baseType\":\"ExceptionData\"");
    }

    /// <summary>Of a storm too: the workbook's last table has each incident that ended.</summary>
    [Fact]
    public async Task ManyIncidentsThatEndAtOnce_AreAllTraced()
    {
        var posts = new ConcurrentQueue<(string Path, string Body)>();
        await using var insights = await StartAsync(posts);
        await using var services = await StartExporterAsync(insights);
        var store = new SignallingIncidentStore(new InMemoryIncidentStore(), new IncidentChanges(), TimeProvider.System);
        foreach (var incident in Enumerable.Range(0, 40).Select(number => Some.Incident() with { Id = $"storm-{number}", Target = $"pod-{number}" }))
        {
            await store.OpenAsync(incident, Some.Runbook(), _ => null, TestContext.Current.CancellationToken);
            await store.UpdateAsync(incident.Id, open => open.End(IncidentState.Failed, "It broke.", Some.Time.AddMinutes(1)), TestContext.Current.CancellationToken);
        }

        services.GetRequiredService<TracerProvider>().ForceFlush().ShouldBeTrue();

        var traced = Rows(posts).Where(row => row.Contains("\"name\":\"incident\"", StringComparison.Ordinal)).ToList();
        Enumerable.Range(0, 40).Where(number => !traced.Any(row => row.Contains($"\"storm-{number}\"", StringComparison.Ordinal))).ShouldBeEmpty();
    }

    /// <summary>The host sends the app's log lines too, stripped of their values, unless the app says that it sends them itself.</summary>
    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")]
    [InlineData("APPLICATIONINSIGHTS_CONNECTION_STRING", "InstrumentationKey=00000000-0000-0000-0000-000000000001")]
    public void AppThatSendsItsLogs_TellsTheHostNotTo(string setting, string value)
    {
        var builder = FunctionsApplication.CreateBuilder([]);
        builder.Configuration[setting] = value;
        builder.AddTelemetry();
        using var services = builder.Services.BuildServiceProvider();

        services.GetRequiredService<IOptions<WorkerOptions>>().Value.Capabilities["WorkerOpenTelemetryEnabled"].ShouldBe("True");
    }

    /// <summary>Nobody is told where nobody asked: no exporter waits for a collector on this machine.</summary>
    [Fact]
    public void WithoutASetting_NothingIsSent()
    {
        var builder = FunctionsApplication.CreateBuilder([]);
        builder.AddTelemetry();
        using var services = builder.Services.BuildServiceProvider();

        services.GetService<TracerProvider>().ShouldBeNull();
        services.GetService<MeterProvider>().ShouldBeNull();
        services.GetRequiredService<IOptions<WorkerOptions>>().Value.Capabilities.ShouldNotContainKey("WorkerOpenTelemetryEnabled", "the host's log is the only one");
    }

    private static async Task<ServiceProvider> StartExporterAsync(WebApplication insights)
    {
        Environment.SetEnvironmentVariable("APPLICATIONINSIGHTS_STATSBEAT_DISABLED", "true");
        var builder = FunctionsApplication.CreateBuilder([]);
        builder.Configuration["APPLICATIONINSIGHTS_CONNECTION_STRING"] =
            $"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={insights.Urls.Single()}/;LiveEndpoint={insights.Urls.Single()}/";
        builder.AddTelemetry();

        // The exporter joins when the host starts; the worker itself would look for its Functions host, which is not here.
        foreach (var worker in builder.Services.Where(one => one.ServiceType == typeof(IHostedService) && one.ImplementationType?.Assembly.GetName().Name!.Contains("Functions.Worker", StringComparison.Ordinal) == true).ToList())
        {
            builder.Services.Remove(worker);
        }

        var services = builder.Services.BuildServiceProvider();
        foreach (var start in services.GetServices<IHostedService>().Where(one => one.GetType().Assembly == typeof(AzureMonitorExporterOptions).Assembly))
        {
            await start.StartAsync(TestContext.Current.CancellationToken);
        }

        services.GetRequiredService<TracerProvider>();
        return services;
    }

    private static List<string> Rows(IEnumerable<(string Path, string Body)> posts) =>
        [.. posts.Where(post => post.Path.EndsWith("/track", StringComparison.Ordinal)).SelectMany(post => post.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries))];

    private static async Task<WebApplication> StartAsync(ConcurrentQueue<(string, string)> posts)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapPost("/{**path}", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await using var content = request.Headers.ContentEncoding == "gzip" ? new GZipStream(request.Body, CompressionMode.Decompress) : request.Body;
            await content.CopyToAsync(body);
            posts.Enqueue((request.Path, Encoding.UTF8.GetString(body.ToArray())));
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
