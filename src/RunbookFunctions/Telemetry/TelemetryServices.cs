using Azure.Core;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Trace;

namespace RunbookFunctions.Telemetry;

internal static class TelemetryServices
{
    private const string Connection = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>As the platform writes it: <c>Authorization=AAD;ClientId=…</c>.</summary>
    private const string Authentication = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

    /// <summary>Logs, traces and metrics to Application Insights when it is configured; otherwise to the host's log alone.</summary>
    public static void AddTelemetry(this FunctionsApplicationBuilder builder)
    {
        // Each request and each call to storage is a line of its own at this level, and some addresses hold a key.
        foreach (var chatty in (string[])["Azure.Core", "System.Net.Http.HttpClient", "Microsoft.AspNetCore"])
        {
            builder.Logging.AddFilter(chatty, LogLevel.Warning);
        }

        if (builder.Configuration[Connection] is not { Length: > 0 } connection)
        {
            return;
        }

        builder.Services.AddOpenTelemetry()
            .WithTracing(tracing => tracing.AddSource("Runbooks*").AddHttpClientInstrumentation())
            .WithMetrics(metrics => metrics.AddMeter("Runbooks*"))
            .UseAzureMonitorExporter(exporter =>
            {
                exporter.ConnectionString = connection;
                exporter.Credential = CredentialOf(builder.Configuration[Authentication]);
            });
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
