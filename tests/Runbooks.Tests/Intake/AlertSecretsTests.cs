using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;

namespace Runbooks.Tests.Intake;

public sealed class AlertSecretsTests
{
    [Theory]
    [InlineData("alertmanager", """{"version":"4","status":"firing","receiver":"r","groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://am","alerts":[{"status":"firing","labels":{"alertname":"A","api_key":"Zq9-planted","pod":"llm-b-0","secret":"inference-tls"},"annotations":{"summary":"login with password=Zq9-planted failed"},"startsAt":"2026-11-26T03:00:00Z","generatorURL":"http://prom/graph?token=Zq9-planted","fingerprint":"f"}]}""")]
    [InlineData("generic", """{"name":"token=Zq9-planted leaked","labels":{"api_key":"Zq9-planted","pod":"llm-b-0","secret":"inference-tls"},"summary":"Authorization: Bearer Zq9-planted","link":"https://u:Zq9-planted@host/x"}""")]
    public void SecretInAnAlert_IsHiddenWhenItIsRead(string source, string body)
    {
        using var services = new ServiceCollection().AddAlerts().BuildServiceProvider();

        var parsed = services.GetRequiredService<AlertReader>().Read(source, Encoding.UTF8.GetBytes(body));

        var alert = parsed.Alerts.ShouldHaveSingleItem();
        JsonSerializer.Serialize(alert).ShouldNotContain("planted");
        (alert.Labels["api_key"], alert.Labels["pod"], alert.Labels["secret"]).ShouldBe(("•••", "llm-b-0", "inference-tls"));
    }
}
