using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Web.Slack;
using TestKit;
using TestKit.People;

namespace Runbooks.Web.Tests.Slack;

public sealed class SlackInteractionsTests : IAsyncLifetime
{
    private const string Secret = "8f742231b10e8888abcd99yyyzzz85a5";
    private readonly SlackEnd _slack = new();
    private readonly ScriptedChannel _cards = new("slack");
    private readonly WebHost _host;
    private string _id = null!;

    public SlackInteractionsTests()
    {
        var ada = new Recipient("ada", [new("test", "ada", "ada")]) { Identities = [Identity.Slack("U0ADA")] };
        var linus = new Recipient("linus", [new("test", "linus", "linus")]) { Identities = [Identity.Slack("U0LINUS")] };
        _host = new WebHost
        {
            Book = new ContactBook([new("oncall", [ada]), new(ContactBook.Fallback, [linus])]),
            Settings = { ["Slack:SigningSecret"] = Secret },
            Configure = services => services.AddSingleton<INotifier>(_cards).AddHttpClient("slack-reply").ConfigurePrimaryHttpMessageHandler(() => _slack),
        };
    }

    public async ValueTask InitializeAsync()
    {
        await _host.InitializeAsync();
        _id = await _host.OpenAsync(Some.Waiting());
    }

    /// <summary>The address is open: callers could have the host keep a body for each of their connections.</summary>
    [Theory]
    [InlineData(null, 0)]
    [InlineData(Secret, -10)]
    public async Task ClickThatCannotFit_IsRefusedBeforeItsBodyIsRead(string? secret, int minutes)
    {
        var handler = ActivatorUtilities.CreateInstance<SlackInteractionsHandler>(_host.Services, new FixedOptions<SlackInteractionOptions>(new() { SigningSecret = secret }));
        var context = new DefaultHttpContext { RequestServices = _host.Services };
        var body = new UnreadBody();
        (context.Request.Body, context.Request.ContentLength) = (body, 200_000);
        context.Request.Headers["X-Slack-Signature"] = "v0=00";
        context.Request.Headers["X-Slack-Request-Timestamp"] = $"{_host.Time.GetUtcNow().AddMinutes(minutes).ToUnixTimeSeconds()}";

        ((IStatusCodeHttpResult)await handler.PostAsync(context.Request)).StatusCode.ShouldBe(401);

        body.WasRead.ShouldBeFalse();
    }

    private sealed class UnreadBody : MemoryStream
    {
        public bool WasRead { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            WasRead = true;
            return base.ReadAsync(buffer, cancellationToken);
        }
    }

    [Fact]
    public async Task PressedButton_DecidesAsTheMappedPersonAndWakes()
    {
        (await PressAsync("approve", "U0ADA")).StatusCode.ShouldBe(HttpStatusCode.OK);

        var gate = _host.Store.All[0].LatestGate!;
        gate.Outcome.ShouldBe(GateOutcome.Approved);
        var decision = gate.Decisions.ShouldHaveSingleItem();
        (decision.Person, decision.Via, decision.PlanHash).ShouldBe(("ada", "slack", "plan-1"));
        _host.Engine.Woken.ShouldHaveSingleItem();
        _slack.Told.ShouldHaveSingleItem().ShouldContain("You approved this at 03:12:00 UTC.");
    }

    /// <summary>Slack took the message and answered too late, or took it twice: its buttons ask until somebody presses one.</summary>
    [Fact]
    public async Task CardThatIsOnNoRecord_SaysWhatWasDecidedOnceItIsPressed()
    {
        await PressAsync("approve", "U0LINUS");
        _cards.Shown.ShouldBeEmpty("it still asks");

        await PressAsync("approve", "U0ADA");
        _cards.Shown.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            card => card.Key.ShouldBe("D0ADA/1764212000.000100"), card => card.Value.Title.ShouldBe("Approved: Recycle pod llm-b-0?"), card => card.Value.GateId.ShouldBeNull());

        _cards.Shown.Clear();
        await PressAsync("reject", "U0ADA");
        _cards.Shown.ShouldHaveSingleItem().Value.Title.ShouldBe("Approved: Recycle pod llm-b-0?");
    }

    [Theory]
    [InlineData("U0LINUS", "linus is not among those who were asked: oncall.")]
    [InlineData("U0NOBODY", "nobody in the contacts has the Slack user U0NOBODY")]
    public async Task SomebodyWhoMayNotDecide_IsToldPrivately(string user, string words)
    {
        await PressAsync("approve", user);

        _host.Store.All[0].LatestGate!.Outcome.ShouldBe(GateOutcome.Pending);
        var told = _slack.Told.ShouldHaveSingleItem();
        told.ShouldContain(words);
        told.ShouldContain("\"response_type\":\"ephemeral\"");
        told.ShouldContain("\"replace_original\":false");
    }

    [Fact]
    public async Task StaleButton_SaysWhoDecided()
    {
        await PressAsync("reject", "U0ADA");

        await PressAsync("approve", "U0ADA");

        _slack.Told.Last().ShouldContain("ada rejected this at 03:12:00 UTC.");
    }

    [Fact]
    public async Task ButtonOfAnEarlierPlan_ApprovesNothing()
    {
        await PressAsync("approve", "U0ADA", plan: "plan-0");

        _host.Store.All[0].LatestGate!.Decisions.ShouldBeEmpty();
        _slack.Told.ShouldHaveSingleItem().ShouldContain("The plan has changed");
    }

    [Fact]
    public async Task ForgedOldOrRepeatedClick_ChangesNothing()
    {
        var body = Form(Payload("approve", "U0ADA"));
        (await SendAsync(body, "v0=" + new string('0', 64))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await SendAsync(body, Sign(body, -301), -301)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        _host.Store.All[0].LatestGate!.Decisions.ShouldBeEmpty();

        var other = Form(Payload("approve", "U0LINUS"));
        (await SendAsync(other, Sign(other))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(other, Sign(other))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        _slack.Told.Count.ShouldBe(1);
        _host.Logged.ShouldContain(line => line.Contains("it was received before"));
    }

    [Theory]
    [InlineData("http://hooks.slack.com/x")]
    [InlineData("https://hooks.slack.com.evil.example/x")]
    [InlineData("https://evil.example/hooks.slack.com")]
    [InlineData("https://user@hooks.slack.com/x")]
    [InlineData("https://hooks.slack.com:8443/x")]
    [InlineData("http://169.254.169.254/")]
    public async Task AnswerAddressThatIsNotSlacks_IsNotCalled(string url)
    {
        await PressAsync("approve", "U0NOBODY", responseUrl: url);

        _slack.Told.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("payload=")]
    [InlineData("payload=%7B%7D")]
    [InlineData("payload=[1]")]
    [InlineData("payload={\"type\":\"block_actions\",\"user\":{\"id\":7},\"actions\":[{}]}")]
    [InlineData("payload={\"type\":\"view_submission\"}")]
    public async Task WhatIsNoDecision_IsAcknowledged(string body) =>
        (await SendAsync(body, Sign(body))).StatusCode.ShouldBe(HttpStatusCode.OK);

    /// <summary>A click brings the whole message back, a letter that is not ASCII in eight bytes.</summary>
    [Fact]
    public async Task ClickOnALongMessage_Decides()
    {
        var body = Form(Payload("approve", "U0ADA", message: new string('語', 10_000)));
        body.Length.ShouldBeGreaterThan(80_000);

        (await SendAsync(body, Sign(body))).StatusCode.ShouldBe(HttpStatusCode.OK);

        _host.Store.All[0].LatestGate!.Outcome.ShouldBe(GateOutcome.Approved);
    }

    [Theory]
    [InlineData("", "1700000000")]
    [InlineData("v0=ab", "")]
    public async Task ClickThatIsNotSigned_IsNotRead(string signature, string timestamp)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/slack/interactions") { Content = new StringContent(new string('x', 1_000_000), Encoding.UTF8, "application/x-www-form-urlencoded") };
        request.Headers.TryAddWithoutValidation("X-Slack-Signature", signature);
        request.Headers.TryAddWithoutValidation("X-Slack-Request-Timestamp", timestamp);

        (await _host.Browser.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task StoreThatDoesNotAnswerAtOnce_IsAskedAgainAndTheDecisionCounts()
    {
        _host.Store.Fault = () =>
        {
            _host.Store.Fault = null;
            return new StoreUnavailableException("disk is away", new IOException());
        };

        // Two wait, for two seconds each: the decision for the store, and the answer to Slack for the decision.
        var pauses = _host.Time.WaitsBeginAsync(TimeSpan.FromSeconds(2), count: 2);
        var press = PressAsync("approve", "U0ADA");
        await pauses;
        _host.Time.Advance(TimeSpan.FromSeconds(2));

        (await press).StatusCode.ShouldBe(HttpStatusCode.OK);
        await _host.Get<SlackBackgroundWorker>().StopAsync(TestContext.Current.CancellationToken);
        _host.Store.All[0].LatestGate!.Outcome.ShouldBe(GateOutcome.Approved);
    }

    /// <summary>A write that timed out may be in.</summary>
    [Fact]
    public async Task StoreThatStaysAway_IsToldAsNotKnown()
    {
        _host.Store.Fault = () => new StoreUnavailableException("disk is away", new IOException());

        var pauses = _host.Time.WaitsBeginAsync(TimeSpan.FromSeconds(2), count: 2);
        var press = PressAsync("approve", "U0ADA");
        await pauses;
        var last = _host.Time.WaitsBeginAsync(TimeSpan.FromSeconds(2));
        _host.Time.Advance(TimeSpan.FromSeconds(2));
        await last;
        _host.Time.Advance(TimeSpan.FromSeconds(2));
        await press;
        await _host.Get<SlackBackgroundWorker>().StopAsync(TestContext.Current.CancellationToken);

        _slack.Told.ShouldHaveSingleItem().ShouldContain("It is not known whether your decision was recorded.");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private Task<HttpResponseMessage> PressAsync(string action, string user, string plan = "plan-1", string responseUrl = "https://hooks.slack.com/actions/T0/1/s3cret")
    {
        var body = Form(Payload(action, user, plan, responseUrl));
        return SendAsync(body, Sign(body));
    }

    private string Payload(string action, string user, string plan = "plan-1", string responseUrl = "https://hooks.slack.com/actions/T0/1/s3cret", string message = "") => JsonSerializer.Serialize(new
    {
        type = "block_actions",
        container = new { type = "message", message_ts = "1764212000.000100", channel_id = "D0ADA", is_ephemeral = false },
        message = new { text = message },
        user = new { id = user, username = "somebody" },
        response_url = responseUrl,
        actions = new[] { new { action_id = action, value = $"{_id}|mitigation-1|{plan}" } },
    });

    private static string Form(string payload) => $"payload={Uri.EscapeDataString(payload)}";

    private string Stamp(int offset) => _host.Time.GetUtcNow().AddSeconds(offset).ToUnixTimeSeconds().ToString();

    private string Sign(string body, int offset = 0) =>
        "v0=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes($"v0:{Stamp(offset)}:{body}")));

    private Task<HttpResponseMessage> SendAsync(string body, string signature, int offset = 0)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/slack/interactions") { Content = new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded") };
        request.Headers.Add("X-Slack-Signature", signature);
        request.Headers.Add("X-Slack-Request-Timestamp", Stamp(offset));
        return _host.Browser.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Slack's end of private answers.</summary>
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
