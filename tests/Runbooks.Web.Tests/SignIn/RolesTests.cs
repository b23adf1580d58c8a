using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Runbooks.Web.Http;
using Runbooks.Web.Access;
using TestKit;

namespace Runbooks.Web.Tests.SignIn;

/// <summary>Which role opens what, by key and by sign-in, asked of every route there is.</summary>
public sealed class RolesTests : IAsyncLifetime
{
    private static readonly Dictionary<Role, string> s_keys = new()
    {
        [Role.Sender] = "sEnd3r-9d2b7Q4Xk8Tn1vR5mZ", [Role.Viewer] = "vIew3r-2b9Q7dXk4Tn8vR1mZs", [Role.Assistant] = "aSs1st-7Xk4Tn8vR1mZs9d2b7Q", [Role.Operator] = "oPer4t-8Tn4Xk9d2b7Q1vR5mZ", [Role.Admin] = "aDm1n5-5mZ1vR8Tn4Xk9d2b7Q",
    };

    private readonly WebHost _host = new() { OpenPages = false, Settings = { ["Auth:TrustPlatformPrincipal"] = "true" } };

    public RolesTests()
    {
        foreach (var (role, key) in s_keys)
        {
            _host.Settings[$"ApiKeys:Named:{role}:Key"] = key;
            _host.Settings[$"ApiKeys:Named:{role}:Role"] = $"{role}";
        }
    }

    /// <summary>What changes something takes an operator, what lifts a guard an admin, and nothing is open that is not meant to be.</summary>
    [Fact]
    public void EveryRoute_AsksForTheRoleThatItsEffectCallsFor()
    {
        string[] open = ["POST /api/slack/interactions", "GET /decide/{token?}", "POST /decide/{token?}", "GET /healthz", "GET /assets/{name}"];
        string[] admin = ["POST /api/safety/release", "POST /api/runbooks/{id}/breaker/reset", "POST /safety/release", "POST /safety/breakers/{id}"];

        foreach (var (route, needed) in Routes())
        {
            needed?.Role.ShouldBe(
                route.StartsWith("POST /api/alerts/", StringComparison.Ordinal) ? Role.Sender
                : admin.Contains(route) ? Role.Admin
                // What an assistant may do beyond reading is a matter of its tools.
                : route.StartsWith("GET ", StringComparison.Ordinal) || route == "POST /mcp" ? Role.Viewer
                : Role.Operator, route);
            (needed is null).ShouldBe(open.Contains(route), route);
        }
    }

    [Theory]
    [InlineData(Role.Sender)]
    [InlineData(Role.Viewer)]
    [InlineData(Role.Assistant)]
    [InlineData(Role.Operator)]
    [InlineData(Role.Admin)]
    public async Task EveryRoute_OpensToKeysWithItsRoleAndToNoOther(Role role)
    {
        foreach (var (route, needed) in Routes())
        {
            if (needed is null)
            {
                continue;
            }

            using var request = Request(route);
            if (needed.IsPage)
            {
                request.Headers.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"kay:{s_keys[role]}")));
            }
            else
            {
                request.Headers.Add("X-Api-Key", s_keys[role]);
            }

            using var answer = await _host.Browser.SendAsync(request, Cancel);
            (answer.StatusCode == HttpStatusCode.Forbidden).ShouldBe(!new Actor(role, "").May(needed.Role), $"{role}: {route} answered {answer.StatusCode}");
            answer.StatusCode.ShouldNotBe(HttpStatusCode.Unauthorized, route);
        }
    }

    /// <summary>An operator's terminal does what such characters say.</summary>
    [Theory]
    [InlineData(Role.Sender, "POST", "/api/alerts/%1b%5B2Jreleased", "no known sender")]
    [InlineData(Role.Operator, "POST", "/api/incidents/%1b%5B2Jreleased/decision", "There is no incident")]
    public async Task AddressWithControlCharacters_IsLoggedWithoutThem(Role role, string method, string address, string words)
    {
        using var request = new HttpRequestMessage(new(method), address) { Content = method == "GET" ? null : JsonContent.Create(new { by = "ada", decision = "approve" }), Headers = { { "X-Api-Key", s_keys[role] } } };
        (await _host.Browser.SendAsync(request, Cancel)).StatusCode.ShouldBeOneOf(HttpStatusCode.Forbidden, HttpStatusCode.NotFound);

        _host.Logged.Where(line => line.Contains(words, StringComparison.Ordinal)).ShouldHaveSingleItem().ShouldContain("\uFFFD[2Jreleased");
    }

    [Fact]
    public async Task RefusedRequest_SaysWhichRoleIsNeededAndIsKeptOnce()
    {
        for (var times = 0; times < 3; times++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/safety/release") { Content = JsonContent.Create(new { by = "kay", reason = "it is fine" }) };
            request.Headers.Add("X-Api-Key", s_keys[Role.Operator]);
            using var answer = await _host.Browser.SendAsync(request, Cancel);
            answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            (await WebHost.JsonOf(answer)).GetProperty("title").GetString()!
                .ShouldBe("This needs the role admin, and the key 'Operator' has the role operator. Use a key that has it (setting ApiKeys:Named), or ask whoever keeps this system for one.");
        }

        var kept = (await WebHost.JsonOf(await _host.Api.GetAsync("/api/safety", Cancel))).GetProperty("refused").EnumerateArray().ShouldHaveSingleItem();
        kept.GetProperty("who").GetString().ShouldBe("the key 'Operator'");
        kept.GetProperty("what").GetString().ShouldBe("POST /api/safety/release");
        kept.GetProperty("count").GetInt32().ShouldBe(3, "what is alike is one line");
        _host.Logged.ShouldContain("Refused: the key 'Operator', whose role is operator, wanted POST /api/safety/release, which needs the role admin.");

        using var page = await _host.Browser.SendAsync(SignedIn(HttpMethod.Get, "/safety", "Runbooks.Admin"), Cancel);
        (await page.Content.ReadAsStringAsync(Cancel)).ShouldContain("Refused for want of a role");
    }

    /// <summary>A sign-in ends while a page is open: whoever presses its button has no key that a prompt of the browser could take.</summary>
    [Fact]
    public async Task FormAfterTheSignInHasEnded_SaysThatNothingWasRecorded()
    {
        var id = await _host.OpenAsync(Some.Waiting());

        using var answer = await _host.Browser.PostAsync($"/incidents/{id}/stop", new FormUrlEncodedContent([new("reason", "wrong pod")]), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        answer.Headers.WwwAuthenticate.ShouldBeEmpty();
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("nothing was recorded");
        using var key = Request($"POST /incidents/{id}/stop");
        key.Headers.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"kay:{s_keys[Role.Operator]}")));
        (await _host.Browser.SendAsync(key, Cancel)).StatusCode.ShouldNotBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task FloodOfRefusals_WritesNoMoreThanIsKept()
    {
        for (var n = 0; n < RefusedRequests.MaxLines + 20; n++)
        {
            using var request = Request("POST /incidents/{id}/stop".Replace("{id}", $"none-{n}", StringComparison.Ordinal));
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"kay:{s_keys[Role.Viewer]}")));
            (await _host.Browser.SendAsync(request, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        }

        (await _host.Get<RefusedRequests>().ReadAsync(Cancel)).Count.ShouldBe(RefusedRequests.MaxLines);
    }

    [Fact]
    public async Task SignedInViewer_SeesTheIncidentAndNoFormAndIsToldHowToGetTheRole()
    {
        var id = await _host.OpenAsync(Some.Waiting());

        using var page = await _host.Browser.SendAsync(SignedIn(HttpMethod.Get, $"/incidents/{id}", null), Cancel);
        var html = await page.Content.ReadAsStringAsync(Cancel);
        html.ShouldContain("needs the role operator");
        html.ShouldNotContain("<form method=\"post\"");

        using var post = SignedIn(HttpMethod.Post, $"/incidents/{id}/stop", null);
        post.Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["by"] = "ada", ["reason"] = "no" });
        using var answer = await _host.Browser.SendAsync(post, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("Runbooks.Operator");
        _host.Store.All[0].Stop.ShouldBeNull();
    }

    [Fact]
    public async Task SignedInOperator_ActsUnderTheirOwnNameWhateverTheyType()
    {
        var id = await _host.OpenAsync(Some.Waiting());

        using var post = SignedIn(HttpMethod.Post, $"/incidents/{id}/stop", "Runbooks.Operator");
        post.Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["by"] = "ada", ["reason"] = "no" });
        (await _host.Browser.SendAsync(post, Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        _host.Store.All[0].Stop!.By.ShouldBe("kay@example.com (99999999-0000-0000-0000-000000000003)");
    }

    [Theory]
    [InlineData("alertmanager", HttpStatusCode.Accepted)]
    [InlineData("AlertManager", HttpStatusCode.Accepted)]
    [InlineData("generic", HttpStatusCode.Forbidden)]
    [InlineData("event-grid", HttpStatusCode.Forbidden)]
    public async Task SenderWhoseSourcesAreSet_PostsForNoOther(string source, HttpStatusCode expected)
    {
        const string Key = "cLust3r-Xk4Tn8vR1mZs9d2b7Q";
        await using var host = new WebHost
        {
            Settings = { ["ApiKeys:Named:cluster:Key"] = Key, ["ApiKeys:Named:cluster:Role"] = "Sender", ["ApiKeys:Named:cluster:Sources:0"] = "alertmanager" },
        };
        await host.InitializeAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/alerts/{source}")
        {
            Content = new StringContent("""{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"A","pod":"b"},"startsAt":"2026-11-23T03:00:00Z","fingerprint":"f"}]}"""),
        };
        request.Headers.Add("X-Api-Key", Key);

        using var answer = await host.Browser.SendAsync(request, Cancel);

        answer.StatusCode.ShouldBe(expected);
        if (expected == HttpStatusCode.Forbidden)
        {
            (await WebHost.JsonOf(answer)).GetProperty("title").GetString().ShouldBe(
                $"Nothing of this post was taken: the key 'cluster' may post to /api/alerts/{{source}} for alertmanager alone, and this is '{source}'. Add it to the Sources of that key (setting ApiKeys:Named), or post with another key.");
            (await host.Get<RefusedRequests>().ReadAsync(Cancel)).ShouldHaveSingleItem().What.ShouldBe($"POST /api/alerts/{source}");
            host.Channel.Sent.ShouldHaveSingleItem("few senders repeat what was refused").Card.Title.ShouldBe("A post was turned away unread");
        }
    }

    [Theory]
    [InlineData("Operator", "alertmanager", "may more than post")]
    [InlineData("Sender", "pager", "'pager', which is no source of alerts. Known: ")]
    public void SourcesThatLimitNothing_KeepTheHostFromStarting(string role, string source, string why)
    {
        var options = new ApiKeyOptions { Named = { ["cluster"] = new() { Key = "k9Q2d7bX4Tn8vR1mZs6Hc3Wf", Role = Enum.Parse<Role>(role), Sources = { source } } } };

        _host.Get<IEnumerable<IValidateOptions<ApiKeyOptions>>>().Select(rule => rule.Validate(null, options).FailureMessage).ShouldContain(failure => failure != null && failure.Contains(why));
    }

    [Theory]
    [InlineData("short", "Viewer", "fewer than 24")]
    [InlineData("k9Q2d7bX4Tn8vR1mZs6Hc3Wf", "None", "Set its Role to Sender, Viewer, Assistant, Operator or Admin.")]
    [InlineData(WebHost.Key, "Viewer", "are the same key")]
    public void NamedKeyThatCannotBeTrusted_KeepsTheHostFromStarting(string key, string role, string why)
    {
        var options = new ApiKeyOptions { Named = { ["dashboard"] = new() { Key = key, Role = Enum.Parse<Role>(role) } } };
        options.Keys.Add(WebHost.Key);

        _host.Get<IEnumerable<IValidateOptions<ApiKeyOptions>>>().Select(rule => rule.Validate(null, options).FailureMessage).ShouldContain(failure => failure != null && failure.Contains(why));
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private List<(string Route, NeededRole? Needed)> Routes() =>
        [.. _host.Get<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Select(endpoint => ($"{endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0]} {endpoint.RoutePattern.RawText}", endpoint.Metadata.GetMetadata<NeededRole>()))];

    private static HttpRequestMessage Request(string route)
    {
        var parts = route.Split(' ');
        var path = parts[1].Replace("{source}", "generic", StringComparison.Ordinal).Replace("{id}", "none", StringComparison.Ordinal).Replace("{name}", "none", StringComparison.Ordinal);
        return new(new HttpMethod(parts[0]), path) { Content = parts[0] == "POST" ? JsonContent.Create(new { }) : null };
    }

    private static HttpRequestMessage SignedIn(HttpMethod method, string path, string? role)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Add("X-MS-CLIENT-PRINCIPAL", Principals.Header("kay", role is null ? [("name", "Kay")] : [("preferred_username", "kay@example.com"), ("roles", role)]));
        return request;
    }
}
