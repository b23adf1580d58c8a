using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.SignedLinks;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Two approvers at the same moment, over real HTTP against the store on disk: one decides, the other is told so.</summary>
public sealed class DecisionRaceTests : IAsyncLifetime
{
    private const int Rounds = 100;
    private const string Secret = "8f742231b10e8888abcd99yyyzzz85a5";
    private static readonly PeopleFiles s_people = new(
        """
        people:
          ada: { reach: [{ email: ada@example.com }] }
          linus: { slackUser: U0LINUS, reach: [{ email: linus@example.com }] }
        contacts: { oncall: [ada, linus], fallback: linus }
        """,
        new { Email = new { Host = "127.0.0.1", Security = "None", From = "runbooks@example.com" }, Slack = new { SigningSecret = Secret, Buttons = false } });

    private readonly SlackEnd _slack = new();
    private readonly HttpClient _browser = new();
    private RunningHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await RunningHost.StartAsync(
        people: s_people, adjust: services => services.AddHttpClient("slack-reply").ConfigurePrimaryHttpMessageHandler(() => _slack));

    [Theory]
    [InlineData("link")]
    [InlineData("api")]
    [InlineData("slack")]
    public async Task LinkAgainst_AHundredTimes_OneDecisionAndTheLoserIsToldWhose(string other)
    {
        var store = _host.Get<IIncidentStore>();
        for (var round = 0; round < Rounds; round++)
        {
            var incident = Some.Waiting($"race-{round}", Some.Gate() with { ExpiresAt = _host.Time.GetUtcNow().AddMinutes(20) });
            await store.OpenAsync(incident, Some.Runbook(), _ => null, Cancel);

            var told = await Task.WhenAll(PressAsync(incident, "ada", "approve"), other switch
            {
                "link" => PressAsync(incident, "linus", "reject"),
                "api" => CallAsync(incident, "linus", "reject"),
                _ => ClickAsync(incident, "U0LINUS", "reject"),
            });

            var decision = (await store.GetAsync(incident.Id, Cancel)).LatestGate!.Decisions.ShouldHaveSingleItem();
            var loser = told[decision.Person == "ada" ? 1 : 0];
            loser.ShouldContain($"{decision.Person} {GateText.Past(decision.Verb)} this at 03:00:00 UTC.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _browser.Dispose();
        await _host.DisposeAsync();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <returns>What the page says.</returns>
    private async Task<string> PressAsync(Incident incident, string person, string decision)
    {
        var gate = incident.LatestGate!;
        var token = _host.Get<LinkSigner>().Sign(new(incident.Id, gate.Id, person, gate.Plan.Hash, gate.ExpiresAt));
        using var form = new FormUrlEncodedContent([new("decision", decision)]);
        using var page = await _browser.PostAsync(new Uri(_host.Client.Http.BaseAddress!, $"decide?token={token}"), form, Cancel);
        return WebUtility.HtmlDecode(await page.Content.ReadAsStringAsync(Cancel));
    }

    private async Task<string> CallAsync(Incident incident, string person, string decision) =>
        (await _host.Client.DecideAsync(incident.Id, decision, person)).Answer!["message"]!.ToString();

    /// <returns>What Slack was given for this person's eyes only; empty when nothing.</returns>
    private async Task<string> ClickAsync(Incident incident, string user, string decision)
    {
        _slack.Told.Clear();
        var payload = JsonSerializer.Serialize(new
        {
            type = "block_actions",
            user = new { id = user },
            response_url = "https://hooks.slack.com/actions/T0/1/x",
            actions = new[] { new { action_id = decision, value = $"{incident.Id}|{incident.LatestGate!.Id}|{incident.LatestGate.Plan.Hash}" } },
        });
        var body = $"payload={Uri.EscapeDataString(payload)}";
        var stamp = $"{_host.Time.GetUtcNow().ToUnixTimeSeconds()}";
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_host.Client.Http.BaseAddress!, "api/slack/interactions"));
        request.Content = new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded");
        request.Headers.Add("X-Slack-Request-Timestamp", stamp);
        request.Headers.Add("X-Slack-Signature", "v0=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes($"v0:{stamp}:{body}"))));
        using var answer = await _browser.SendAsync(request, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return string.Concat(_slack.Told);
    }

    private sealed class SlackEnd : HttpMessageHandler
    {
        public ConcurrentQueue<string> Told { get; } = new();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Told.Enqueue(await request.Content!.ReadAsStringAsync(cancellationToken));
            return new HttpResponseMessage(HttpStatusCode.OK);
        }
    }
}
