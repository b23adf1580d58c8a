using Azure.Core;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Runbooks.Telemetry;

namespace RunbookFunctions.Telemetry;

internal static class TelemetryServices
{
    private const string Connection = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>As the platform writes it: <c>Authorization=AAD;ClientId=…</c>.</summary>
    private const string Authentication = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

    /// <summary>OpenTelemetry's own setting, which the Functions host reads too.</summary>
    private const string Otlp = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>
    /// Traces, metrics and logs to Application Insights and to a collector, where they are configured; otherwise to the host's
    /// log alone. Calls that the app makes are no spans: the addresses of some channels are secrets.
    /// </summary>
    public static void AddTelemetry(this FunctionsApplicationBuilder builder)
    {
        // Each request and each call to storage is a line of its own at this level, and some addresses hold a key.
        foreach (var chatty in (string[])["Azure.Core", "System.Net.Http.HttpClient", "Microsoft.AspNetCore"])
        {
            builder.Logging.AddFilter(chatty, LogLevel.Warning);
        }

        var (connection, otlp) = (builder.Configuration[Connection], builder.Configuration[Otlp] is { Length: > 0 });
        if (string.IsNullOrEmpty(connection) && !otlp)
        {
            return;
        }

        // Otherwise the host sends every log line of ours a second time, by name and text and without its values, and the alerts
        // on ended incidents cannot tell how they ended.
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

                // It would keep five spans a second, and of a storm whole incidents would be missing. Log lines are what alerts wait for.
                (exporter.TracesPerSecond, exporter.SamplingRatio, exporter.EnableTraceBasedLogsSampler) = (null, 1, false);
            });
        }

        if (otlp)
        {
            telemetry.WithTracing(tracing => tracing.AddOtlpExporter()).WithMetrics(metrics => metrics.AddOtlpExporter())
                .WithLogging(logging => logging.AddOtlpExporter(), logging => logging.IncludeFormattedMessage = true);
        }
    }

    /// <returns>Null where the resource still takes whoever knows its connection string.</returns>
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
