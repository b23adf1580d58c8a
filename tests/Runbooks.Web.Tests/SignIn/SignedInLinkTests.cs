using System.Net;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.SignedLinks;
using TestKit;

namespace Runbooks.Web.Tests.SignIn;

/// <summary>An approval link where people sign in: made for ada, and worth nothing to anybody else.</summary>
public sealed class SignedInLinkTests : IAsyncLifetime
{
    private readonly Incident _incident = Some.Waiting();
    private readonly WebHost _host = new()
    {
        Book = new ContactBook([new("oncall", [Principals.Person("ada"), Principals.Person("grace")]), new(ContactBook.Fallback, [Principals.Person("grace")])]),
        Settings = { ["Auth:TrustPlatformPrincipal"] = "true" },
    };

    [Fact]
    public async Task Recipient_DecidesUnderTheirName()
    {
        (await PostAsync("ada", ("preferred_username", "somebody@example.com"))).StatusCode.ShouldBe(HttpStatusCode.OK);

        Gate.Decisions.ShouldHaveSingleItem().Person.ShouldBe("ada");
    }

    [Theory]
    [InlineData("grace", "preferred_username", "grace@example.com", "grace")]
    [InlineData("stranger", "preferred_username", "ada@example.com", "ada@example.com (99999999-0000-0000-0000-000000000003)")]
    [InlineData("stranger", "name", "ada", "ada (99999999-0000-0000-0000-000000000003)")]
    [InlineData("stranger", "name", "slack:U0ADA", "slack:U0ADA (99999999-0000-0000-0000-000000000003)")]
    public async Task SomebodyElse_IsToldWhoseLinkItIsAndDecidesNothing(string who, string claim, string value, string shown)
    {
        var answer = await PostAsync(who, (claim, value));

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain($"This link was sent to ada, and you are signed in as {shown}.");
        Gate.Decisions.ShouldBeEmpty();
    }

    [Fact]
    public async Task SomebodyElse_IsShownNoPlanAndNoButtons()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Link) { Headers = { { "X-MS-CLIENT-PRINCIPAL", Principals.Header("grace", ("preferred_username", "grace@example.com")) } } };

        var answer = await _host.Browser.SendAsync(request, Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        var page = await answer.Content.ReadAsStringAsync(Cancel);
        page.ShouldContain("This link was sent to ada, and you are signed in as grace. Decide from a message of your own.");
        page.ShouldNotContain("id=\"plan\"");
        page.ShouldNotContain("<button");
    }

    [Fact]
    public async Task NobodySignedIn_IsSentToTheSignInAndDecidesNothing()
    {
        var opened = await _host.Browser.GetAsync(Link, Cancel);
        opened.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        opened.Headers.Location!.ToString().ShouldBe($"/.auth/login/aad?post_login_redirect_uri={Uri.EscapeDataString(Link)}");

        (await PostAsync(null)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        Gate.Decisions.ShouldBeEmpty();
        _host.Logged.ShouldContain("A decision link was refused: nobody was signed in");
        var token = _host.Token(_incident, "ada");
        _host.Logged.ShouldEach(line => !line.Contains(token));
    }

    [Fact]
    public async Task PageOfAStorm_NamesWhoeverIsSignedInAndNotWhomTheLinkWasMadeFor()
    {
        const string Storm = "storm-261123-031100-000";
        await _host.OpenAsync(Some.Waiting("261123-0313-storm000") with { Target = "storm", Storm = Storm });
        var token = _host.Get<LinkSigner>().SignStorm(new StormGrant(Storm, Some.Time.AddMinutes(-1), "ada", Some.Time.AddDays(1)));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/decide?token={token}") { Headers = { { "X-MS-CLIENT-PRINCIPAL", Principals.Header("grace", ("preferred_username", "grace@example.com")) } } };

        (await (await _host.Browser.SendAsync(request, Cancel)).Content.ReadAsStringAsync(Cancel)).ShouldContain("You decide as <strong>grace</strong>");
    }

    /// <summary>The record knows ada, and the sign-in shows another name.</summary>
    [Fact]
    public async Task PageOfAStormForWhoeverHasSaidYesUnderAnotherName_WaitsForOthers()
    {
        const string Storm = "storm-261123-031100-000";
        var gate = Some.Gate() with { Required = 2, Decisions = [new(DecisionVerb.Approve, "ada", "link", Some.Time)] };
        await _host.OpenAsync(Some.Waiting("261123-0313-storm000", gate) with { Target = "storm", Storm = Storm });
        var token = _host.Get<LinkSigner>().SignStorm(new StormGrant(Storm, Some.Time.AddMinutes(-1), "ada", Some.Time.AddDays(1)));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/decide?token={token}") { Headers = { { "X-MS-CLIENT-PRINCIPAL", Principals.Header("ada", ("preferred_username", "lovelace@example.com")) } } };

        (await (await _host.Browser.SendAsync(request, Cancel)).Content.ReadAsStringAsync(Cancel)).ShouldContain("1 target waiting for others to approve");
    }

    /// <summary>The record knows ada, and the sign-in shows another name.</summary>
    [Theory]
    [InlineData("ada", false, true, "You have approved; 1 more needed.")]
    [InlineData("ada", false, false, "You started this, so somebody else has to approve it.")]
    [InlineData("grace", true, true, null)]
    [InlineData("grace", true, false, null)]
    public async Task PageOfAnIncident_OffersAYesOnlyToThoseWhoseYesCounts(string who, bool offered, bool hasApproved, string? why)
    {
        var gate = hasApproved
            ? Some.Gate() with { Required = 2, Decisions = [new(DecisionVerb.Approve, "ada", "link", Some.Time)] }
            : Some.Gate() with { SeparationOfDuties = true, Starter = "ada" };
        var id = await _host.OpenAsync(Some.Waiting("261123-0313-asked000", gate) with { Target = "another" });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/incidents/{id}") { Headers = { { "X-MS-CLIENT-PRINCIPAL", Principals.Header(who, ("preferred_username", "somebody@example.com"), ("roles", "Runbooks.Operator")) } } };

        var page = WebUtility.HtmlDecode(await (await _host.Browser.SendAsync(request, Cancel)).Content.ReadAsStringAsync(Cancel));

        page.Contains("value=\"approve\"", StringComparison.Ordinal).ShouldBe(offered);
        page.ShouldContain("value=\"reject\"");
        page.ShouldContain(why ?? "Reject");
    }

    public async ValueTask InitializeAsync()
    {
        await _host.InitializeAsync();
        await _host.OpenAsync(_incident);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Gate Gate => _host.Store.All[0].LatestGate!;

    private string Link => $"/decide?token={_host.Token(_incident, "ada")}";

    private async Task<HttpResponseMessage> PostAsync(string? who, params (string Type, string Value)[] claims)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Link) { Content = WebHost.Form("approve") };
        if (who is not null)
        {
            request.Headers.Add("X-MS-CLIENT-PRINCIPAL", Principals.Header(who, claims));
        }

        return await _host.Browser.SendAsync(request, Cancel);
    }
}
