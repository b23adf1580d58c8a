using System.Text.Json;
using RunbookServer.Samples;

namespace RunbookServer.Tests.EndToEnd;

internal static class SomeAlert
{
    /// <summary>As Alertmanager sends it for a pod that completes nothing.</summary>
    public static string Stuck(string pod, string status = "firing") => JsonSerializer.Serialize(new
    {
        version = "4",
        status,
        alerts = new[]
        {
            new
            {
                status,
                labels = new Dictionary<string, string>
                {
                    ["alertname"] = "InferenceRequestsStuck", ["cluster"] = "b", ["namespace"] = "inference", ["pod"] = pod, ["severity"] = "critical",
                },
                startsAt = "2026-11-23T03:00:20Z",
                fingerprint = $"stuck-{pod}",
            },
        },
    });

    public static string Sample(string name) => System.Text.Encoding.UTF8.GetString(SampleAlerts.Read(name, null).Body);
}
