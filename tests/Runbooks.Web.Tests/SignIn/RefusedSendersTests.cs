using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Runbooks.Model.Storage;
using Runbooks.Web.Access;
using Runbooks.Web.SignIn;

namespace Runbooks.Web.Tests.SignIn;

/// <summary>An alert that the door turned away is lost: few senders repeat it, so somebody hears of that.</summary>
public sealed class RefusedSendersTests : IAsyncLifetime
{
    private const string ViewersKey = "vIew3r-2b9Q7dXk4Tn8vR1mZs";

    private readonly WebHost _host = new() { Settings = { ["ApiKeys:Named:grafana:Key"] = ViewersKey, ["ApiKeys:Named:grafana:Role"] = "viewer" } };

    /// <summary>A key that was changed here and not at the sender. It may also be anybody, who must not page as they like, or in their own words.</summary>
    [Fact]
    public async Task PostsWithoutAKey_PageOnceADayForEachKindOfSender()
    {
        for (var hour = 0; hour < 23; hour++)
        {
            (await PostAsync("alertmanager", "old")).ShouldBe(HttpStatusCode.Unauthorized);
            _host.Time.Advance(TimeSpan.FromHours(1));
        }

        (await PostAsync("ring-me", "old")).ShouldBe(HttpStatusCode.Unauthorized);
        var page = _host.Channel.Sent.ShouldHaveSingleItem();
        page.To.Recipient.ShouldBe("fallback");
        page.Card.Title.ShouldBe("A post was turned away unread");
        page.Card.Sections[0].Lines[0].ShouldBe(
            "A post from alertmanager at 2026-11-23 03:12 UTC was turned away unread: whether it held alerts, and which, is not known. Look at the sender for what fires there: it may not send this again. "
            + "The latest reason: It carried no key of this host, or an old one, and was answered 401. Give the sender a key that the setting ApiKeys has; where none of yours posts here without one, somebody else knows this address. Of this you hear once a day.");
        (await PostAsync("GRAFANA", "")).ShouldBe(HttpStatusCode.Unauthorized);
        _host.Channel.Sent.Count.ShouldBe(2);

        _host.Time.Advance(TimeSpan.FromHours(2));
        await PostAsync("alertmanager", "old");

        _host.Channel.Sent.Count.ShouldBe(3);
    }

    /// <summary>With a good key such an address works, so nobody has noticed it.</summary>
    [Fact]
    public async Task AddressThatEndsInASlash_PagesToo()
    {
        (await PostAsync("alertmanager/", "old")).ShouldBe(HttpStatusCode.Unauthorized);

        _host.Channel.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldStartWith("A post from alertmanager");
    }

    [Fact]
    public async Task PostsWithoutATokenThatLetsThemIn_PageOnceADay()
    {
        var webhook = new SecureWebhook(
            Options.Create(new SecureWebhookOptions { TenantId = $"{Guid.Empty}", Audience = "api://runbooks" }), keys: null!, _host.Get<RefusedSenders>(), _host.Time, NullLogger<SecureWebhook>.Instance);
        for (var times = 0; times < 2; times++)
        {
            var context = new DefaultHttpContext { Request = { Method = "POST", Path = "/api/secure/alerts/azure-monitor" } };
            ((IStatusCodeHttpResult)await webhook.GuardAsync(context.Request, "azure-monitor", () => throw new ShouldAssertException("It was let in."))).StatusCode.ShouldBe(401);
        }

        _host.Channel.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldContain("It showed no token that lets it in (it shows no token) and was answered 401.");
    }

    [Fact]
    public async Task KeyWhoseRoleDoesNotPost_IsNamed()
    {
        (await PostAsync("grafana", ViewersKey)).ShouldBe(HttpStatusCode.Forbidden);

        _host.Channel.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldEndWith(
            "has the role viewer, which may not post alerts. Give the sender a key with the role sender (setting ApiKeys:Named).");
    }

    [Fact]
    public async Task StoreIsAway_TheAnswerIsTheSameAndTheNextOnePages()
    {
        _host.State.Fault = () => new StoreUnavailableException("away");
        (await PostAsync("generic", "old")).ShouldBe(HttpStatusCode.Unauthorized);
        _host.State.Fault = null;

        await PostAsync("generic", "old");

        _host.Channel.Sent.ShouldHaveSingleItem();
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private async Task<HttpStatusCode> PostAsync(string source, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/alerts/{source}?code={key}") { Content = new StringContent("""{"name":"Call this number"}""", Encoding.UTF8, "application/json") };
        return (await _host.Browser.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode;
    }
}
