using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Web.SignIn;
using TestKit;

namespace Runbooks.Web.Tests.SignIn;

/// <summary>An approval link where people sign in: made for ada, and worth nothing to anybody else.</summary>
public sealed class SignedInLinkTests : IAsyncLifetime
{
    private readonly Incident _incident = Some.Waiting();
    private readonly WebHost _host = new()
    {
        Book = new ContactBook([new("oncall", [Person("ada"), Person("grace")]), new(ContactBook.Fallback, [Person("grace")])]),
        Settings = { ["Auth:TrustPlatformPrincipal"] = "true" },
        Configure = services => services.AddPlatformSignIn(),
        Map = app =>
        {
            // As the Functions app has it.
            app.MapGet("/platform/{token}", (HttpRequest request, string token, LinkAccess links) => links.GetAsync(request, token));
            app.MapPost("/platform/{token}", (HttpRequest request, string token, LinkAccess links) => links.PostAsync(request, token)).DisableAntiforgery();
        },
    };

    [Fact]
    public async Task Recipient_DecidesUnderTheirName()
    {
        (await PostAsync("preferred_username", "ada@example.com")).StatusCode.ShouldBe(HttpStatusCode.OK);

        Gate.Decisions.ShouldHaveSingleItem().Person.ShouldBe("ada");
    }

    [Theory]
    [InlineData("preferred_username", "grace@example.com")]
    [InlineData("preferred_username", "stranger@example.com")]
    [InlineData("name", "ada")]
    [InlineData("name", "slack:U0ADA")]
    public async Task SomebodyElse_IsToldWhoseLinkItIsAndDecidesNothing(string claim, string value)
    {
        var answer = await PostAsync(claim, value);

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain($"This link was sent to ada, and you are signed in as {value}.");
        Gate.Decisions.ShouldBeEmpty();
    }

    [Fact]
    public async Task NobodySignedIn_IsSentToTheSignInAndDecidesNothing()
    {
        var opened = await _host.Browser.GetAsync(Link, Cancel);
        opened.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        opened.Headers.Location!.ToString().ShouldStartWith("/.auth/login/aad?post_login_redirect_uri=%2Fplatform%2F");

        (await PostAsync(null, "")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        Gate.Decisions.ShouldBeEmpty();
        _host.Logged.ShouldContain("A decision link was refused: nobody was signed in");
        var token = _host.Token(_incident, "ada");
        _host.Logged.ShouldAllBe(line => !line.Contains(token));
    }

    public async ValueTask InitializeAsync()
    {
        await _host.InitializeAsync();
        await _host.OpenAsync(_incident);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Gate Gate => _host.Store.All[0].LatestGate!;

    private string Link => $"/platform/{_host.Token(_incident, "ada")}";

    private static Recipient Person(string name) =>
        new(name, [new("test", name, name)]) { Identities = [Identity.SignIn($"{name}@example.com"), Identity.Slack($"U0{name.ToUpperInvariant()}")] };

    private async Task<HttpResponseMessage> PostAsync(string? claim, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Link) { Content = WebHost.Form("approve") };
        if (claim is not null)
        {
            var principal = JsonSerializer.Serialize(new { claims = new[] { new { typ = claim, val = value } } });
            request.Headers.Add("X-MS-CLIENT-PRINCIPAL", Convert.ToBase64String(Encoding.UTF8.GetBytes(principal)));
        }

        return await _host.Browser.SendAsync(request, Cancel);
    }
}
