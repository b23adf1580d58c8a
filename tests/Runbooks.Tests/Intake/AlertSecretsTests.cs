using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

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

    /// <summary>A colon makes a name look like a secret: it is hidden where it is kept and shown, and the alert is for its runbook all the same.</summary>
    [Theory]
    [InlineData("App registration secret: expiring", "App registration secret: •••", "App registration secret: renewed")]
    [InlineData("Client secret: 30 days left", "Client secret: ••• days left", "Client secret: 60 days left")]
    [InlineData("AOAI token: QuotaExceeded", "AOAI token: •••", "AOAI token: QuotaRestored")]
    public async Task NameThatLooksLikeASecret_IsMatchedAsTheSenderWroteIt(string name, string shown, string another)
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("named", "all", "generic", name, checks: false));

        (await world.TakeAsync(Parsing.Readers.ReadOne("generic", $$"""{"name":"{{another}}"}""")))[0].Outcome.ShouldBe(IntakeResult.Ignored);
        var outcome = (await world.TakeAsync(Parsing.Readers.ReadOne("generic", $$"""{"name":"{{name}}"}""")))[0];

        (outcome.Outcome, world.Only.Alert.Name).ShouldBe((IntakeResult.Opened, shown));
        JsonSerializer.Serialize(world.Only).ShouldNotContain(name);
        world.Only.Alert.ToString().ShouldNotContain(name);
    }

    [Theory]
    [InlineData("password: expired", IntakeResult.Opened)]
    [InlineData("password: hunter2-planted", IntakeResult.Ignored)]
    public async Task LabelThatLooksLikeASecret_IsMatchedAndNeverRepeated(string value, IntakeResult expected)
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("check", "all", "generic", "CheckFailed", new() { ["check"] = "password: expired" }, checks: false));

        var outcome = (await world.TakeAsync(Parsing.Readers.ReadOne("generic", $$$"""{"name":"CheckFailed","labels":{"check":"{{{value}}}"}}""")))[0];

        outcome.Outcome.ShouldBe(expected);
        JsonSerializer.Serialize(new { outcome.Reason, world.World.Store.All }).ShouldNotContain(value);
    }

    /// <summary>kube-state-metrics names Kubernetes secrets in this label; their names have versions.</summary>
    [Theory]
    [InlineData("inference-tls", "inference-tls")]
    [InlineData("llm-tls-v2", "llm-tls-v2")]
    [InlineData("sh.helm.release.v1.llm.v12", "sh.helm.release.v1.llm.v12")]
    [InlineData("hunter2", "•••")]
    [InlineData("a0f9e8d7-6b5a-4f3e-9d2c-1b0a9f8e7d6c", "•••")]
    public void LabelSecret_ShowsWhatIsAName(string value, string shown) => AlertSecrets.Hide("secret", value).ShouldBe(shown);

    [Theory]
    [InlineData("hashed_api_key", true)]
    [InlineData("api_key_hash", true)]
    [InlineData("api_key", false)]
    [InlineData("password_hash", false)]
    public void DigestOfAKey_IsNoSecret(string name, bool shown)
    {
        const string Digest = "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b";

        AlertSecrets.Hide(new Dictionary<string, string> { [name] = Digest })[name].ShouldBe(shown ? Digest : "•••");
    }

    [Theory]
    [InlineData("alertmanager")]
    [InlineData("azure-monitor")]
    public async Task TargetsByALabelThatIsHidden_StayApart(string source)
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("queue", "{{ labels.routing_key }}", source, "*"));

        await world.TakeAsync(Queue("f1", "orders.eu"), Queue("f2", "orders.us"));

        var targets = world.World.Store.All.Select(incident => incident.Target).ToList();
        targets.Distinct().Count().ShouldBe(2);
        targets.ShouldAllBe(target => target.StartsWith("QueueFull, with labels.routing_key hidden, alert "));

        Alert Queue(string fingerprint, string key) => AlertSecrets.Hide(new Alert
        {
            Source = source,
            Name = "QueueFull",
            Fingerprint = fingerprint,
            Labels = new Dictionary<string, string> { ["routing_key"] = key },
            Resources = source == "azure-monitor" ? ["/subscriptions/s1"] : [],
        });
    }

    [Fact]
    public async Task ParametersThatAreHidden_AreNotTakenForTheSame()
    {
        var runbook = IntakeWorld.Runbook("queue", "{{ labels.cluster }}", "alertmanager", "*");
        await using var world = new IntakeWorld(runbook with { Mitigation = runbook.Mitigation with { Steps = [Given.Step("fix", with: new { name = "fix", text = "{{ labels.routing_key }}" })] } });
        await world.TakeAsync(Queue("f1"), Queue("f2"));

        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);

        world.World.Store.All.Count.ShouldBe(2);

        static Alert Queue(string fingerprint) => new()
        {
            Source = "alertmanager",
            Name = "QueueFull",
            Fingerprint = fingerprint,
            Labels = new Dictionary<string, string> { ["cluster"] = "b", ["routing_key"] = "•••" },
        };
    }
}
