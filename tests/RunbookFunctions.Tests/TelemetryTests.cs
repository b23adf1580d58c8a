using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using RunbookFunctions.Telemetry;
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
        await store.UpdateAsync(Some.Incident().Id, incident => incident.End(IncidentState.Failed, "It broke.", [], null, TimeSpan.Zero, Some.Time.AddMinutes(1)), TestContext.Current.CancellationToken);
        traces.ForceFlush().ShouldBeTrue();
        metrics.ForceFlush().ShouldBeTrue();

        Sent("/v1/traces").ShouldContain("incident");
        Sent("/v1/traces").ShouldContain(Some.Incident().Id);
        Sent("/v1/traces").ShouldContain("functions-of-a-test");
        Sent("/v1/metrics").ShouldContain("runbook.incidents.closed");

        string Sent(string path) => string.Concat(posts.Where(post => post.Path == path).Select(post => post.Body));
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
    }

    private static async Task<WebApplication> StartAsync(ConcurrentQueue<(string, string)> posts)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapPost("/v1/{signal}", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            posts.Enqueue((request.Path, Encoding.UTF8.GetString(body.ToArray())));
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
