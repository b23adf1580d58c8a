using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Notifications;
using TestKit.People;

namespace Runbooks.Integrations.Tests.Notifications;

public sealed class HttpChannelTests : WithServer
{
    private static readonly Address s_to = new("any", "${URL}", "ops-room");
    private static readonly string s_secret = ApprovalOffice.LinkSecret("hook");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Slack_PostsAndChangesTheMessageInPlace()
    {
        var slack = Slack();

        var reference = (await slack.SendAsync(Cards.Approval, new("slack", "U0ADA", "ada"), Cancel)).Reference;
        await slack.UpdateAsync(reference!, Cards.Decided, Cancel);

        reference.ShouldBe("C0OPS/1700000000.000100");
        var (post, update) = (_server.Requests.First(), _server.Requests.Last());
        post.Path.ShouldBe("/api/chat.postMessage");
        post.Headers["Authorization"].ShouldBe("Bearer xoxb-s3cret");
        JsonNode.Parse(post.Body)!["channel"]!.ToString().ShouldBe("U0ADA");
        update.Path.ShouldBe("/api/chat.update");
        var changed = JsonNode.Parse(update.Body)!;
        changed["channel"]!.ToString().ShouldBe("C0OPS");
        changed["ts"]!.ToString().ShouldBe("1700000000.000100");
        update.Body.ShouldNotContain("\"approve\"");
    }

    [Theory]
    [InlineData(null, null, null, "Set Slack:BotToken.")]
    [InlineData("xoxb-1", null, null, "Set Slack:SigningSecret, or Slack:Buttons to false.")]
    [InlineData("xoxb-1", null, "false", null)]
    [InlineData("xoxb-1", "s3cret", null, null)]
    public void SlackButtonsThatNobodyCouldPress_AreAnError(string? token, string? secret, string? buttons, string? error)
    {
        var slack = _server.Channel("slack", services => services.AddSlack(), [.. new[] { ("Slack:BotToken", token), ("Slack:SigningSecret", secret), ("Slack:Buttons", buttons) }
            .Where(setting => setting.Item2 is not null).Select(setting => (setting.Item1, setting.Item2!))]);

        if (error is null)
        {
            slack.ConfigurationError.ShouldBeNull();
        }
        else
        {
            slack.ConfigurationError!.ShouldEndWith(error);
        }
    }

    [Theory]
    [InlineData("slack", 200, """{"ok":false,"error":"msg_blocks_too_long"}""", true)]
    [InlineData("slack", 200, """{"ok":false,"error":"channel_not_found"}""", false)]
    [InlineData("slackWebhook", 400, "invalid_blocks", true)]
    [InlineData("slackWebhook", 403, "invalid_token", false)]
    public async Task CardThatIsRefusedForItsForm_IsWorthAShorterOne(string channel, int status, string answer, bool isForm)
    {
        _server.Answer = context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(answer);
        };
        var (notifier, to) = channel == "slack" ? (Slack(), new Address("slack", "U0ADA", "ada")) : (Of(channel), s_to);

        (await Should.ThrowAsync<DeliveryException>(() => notifier.SendAsync(Cards.Approval, to, Cancel))).IsForm.ShouldBe(isForm);
    }

    [Theory]
    [InlineData("""{"ok":false,"error":"channel_not_found"}""", false)]
    [InlineData("""{"ok":false,"error":"ratelimited"}""", true)]
    [InlineData("""{"ok":false,"error":"rate_limited"}""", true)]
    [InlineData("""{"ok":false,"error":"update_failed"}""", true)]
    [InlineData("not json", false)]
    [InlineData("[]", false)]
    public async Task SlackThatDoesNotTakeIt_IsToldAndWorthAnotherTryOrNot(string answer, bool transient)
    {
        _server.Answer = context => context.Response.WriteAsync(answer);

        (await Should.ThrowAsync<DeliveryException>(() => Slack().SendAsync(Cards.Approval, new("slack", "U0ADA", "ada"), Cancel))).Transient.ShouldBe(transient);
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("Tue, 24 Nov 2026 03:00:07 GMT", 7)]
    [InlineData("Tue, 24 Nov 2026 02:59:00 GMT", null)]
    [InlineData("", null)]
    [InlineData("soon", null)]
    public async Task ServiceThatAsksToWait_IsHeard(string after, int? seconds)
    {
        _server.Answer = context =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = after;
            context.Response.Headers.Date = "Tue, 24 Nov 2026 03:00:00 GMT";
            return Task.CompletedTask;
        };

        var failure = await Should.ThrowAsync<DeliveryException>(() => Slack().SendAsync(Cards.Approval, new("slack", "U0ADA", "ada"), Cancel));

        failure.RetryAfter.ShouldBe(seconds is { } asked ? TimeSpan.FromSeconds(asked) : null);
        failure.Message.ShouldBe(seconds is null ? "Slack answered 429." : "Slack answered 429; it asks to wait 7 s.");
    }

    [Theory]
    [InlineData("teams", 500, true)]
    [InlineData("teams", 429, true)]
    [InlineData("teams", 404, false)]
    [InlineData("slackWebhook", 503, true)]
    [InlineData("slackWebhook", 403, false)]
    [InlineData("webhook", 302, false)]
    public async Task Refusal_SaysTheStatusAndNeverTheSecret(string channel, int status, bool transient)
    {
        _server.Answer = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "https://evil.example/";
            return context.Response.WriteAsync("the URL was " + context.Request.Path);
        };

        var failure = await Should.ThrowAsync<DeliveryException>(() => Of(channel).SendAsync(Cards.Approval, s_to, Cancel));

        failure.Transient.ShouldBe(transient);
        failure.Message.ShouldContain($"answered {status}");
        failure.ToString().ShouldNotContain("s3cret");
    }

    [Fact]
    public async Task UnreachableService_IsToldWithoutItsAddress()
    {
        var teams = Of("teams");
        await _server.DisposeAsync();

        var failure = await Should.ThrowAsync<DeliveryException>(() => teams.SendAsync(Cards.Approval, s_to, Cancel));

        failure.Transient.ShouldBeTrue();
        failure.ToString().ShouldNotContain("s3cret");
    }

    [Fact]
    public async Task SettingWithoutAValue_IsToldByItsName() =>
        (await Should.ThrowAsync<DeliveryException>(() => Of("teams").SendAsync(Cards.Approval, s_to with { To = "${NOT_THERE}" }, Cancel))).Message.ShouldContain("NOT_THERE");

    [Fact]
    public async Task AnswerWithoutEnd_IsReadNoFurtherThanNeeded()
    {
        var sent = 0;
        _server.Answer = async context =>
        {
            var block = new byte[64 * 1024];

            // Written to a connection that is gone, a block is dropped without an error, and the request is told of that a little later.
            while (sent < 2_000 && await context.Response.BodyWriter.WriteAsync(block, context.RequestAborted) is { IsCompleted: false })
            {
                sent++;
            }
        };

        await Of("teams").SendAsync(Cards.Approval, s_to, Cancel);

        sent.ShouldBeLessThan(200, "the sockets hold a few");
    }

    [Fact]
    public async Task TeamsFlow_OnlyTakesTheMessageOn()
    {
        _server.Answer = context =>
        {
            context.Response.StatusCode = 202;
            return Task.CompletedTask;
        };

        (await Of("teams").SendAsync(Cards.Approval, s_to, Cancel)).ShouldBe(new Receipt(null, IsHandedOver: true));
    }

    [Fact]
    public async Task Webhook_IsSignedOverTimeAndBodyAndChangesByItsMessage()
    {
        var webhook = Of("webhook");

        var reference = (await webhook.SendAsync(Cards.Approval, s_to, Cancel)).Reference;
        await webhook.UpdateAsync(reference!, Cards.Decided, Cancel);

        reference!.ShouldNotContain("s3cret");
        foreach (var request in _server.Requests)
        {
            var timestamp = request.Headers["X-Runbooks-Timestamp"];
            timestamp.ShouldBe(_server.Time.GetUtcNow().ToUnixTimeSeconds().ToString());
            var expected = Convert.ToHexStringLower(HMACSHA256.HashData(Convert.FromBase64String(s_secret), Encoding.UTF8.GetBytes($"v1:{timestamp}:{request.Body}")));
            request.Headers["X-Runbooks-Signature"].ShouldBe($"v1={expected}");
            JsonNode.Parse(request.Body)!["message"]!.ToString().ShouldBe(Cards.Approval.Key);
        }
    }

    [Theory]
    [InlineData("teams", "http://hooks.example.com/x", false)]
    [InlineData("teams", "https://hooks.example.com/x", true)]
    [InlineData("teams", "javascript:alert(1)", false)]
    [InlineData("pagerduty", "short", false)]
    [InlineData("webhook", "ftp://x", false)]
    [InlineData("slack", "#ops", false)]
    [InlineData("slack", "C012AB3CD", true)]
    [InlineData("slack", "CABDEFGHJ", true)]
    [InlineData("slack", "General", false)]
    [InlineData("slack", "Devops1", false)]
    [InlineData("slack", "GPU", false)]
    public void Address_IsCheckedByItsChannel(string channel, string to, bool fine) => (Of(channel).ValidateAddress(to) is null).ShouldBe(fine);

    private INotifier Slack() => Of("slack");

    private INotifier Of(string channel) => _server.Channel(
        channel,
        services => services.AddTeams().AddSlack().AddWebhook().AddPagerDuty(),
        ("Slack:ApiUrl", _server.Url + "/api"), ("Slack:BotToken", "xoxb-s3cret"), ("Webhook:SigningSecret", s_secret));
}
