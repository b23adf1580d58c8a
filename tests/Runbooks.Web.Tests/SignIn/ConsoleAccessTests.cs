using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Web.Http;
using Runbooks.Web.Access;
using Runbooks.Web.SignIn;
using TestKit.Storage;

namespace Runbooks.Web.Tests.SignIn;

/// <summary>The door as the Functions app has it.</summary>
public sealed class ConsoleAccessTests
{
    [Fact]
    public async Task Stranger_IsAskedForTheKey() => (await OpenAsync(trust: false, request => { })).ShouldBe(StatusCodes.Status401Unauthorized);

    [Fact]
    public async Task KeyAsPassword_Opens() =>
        (await OpenAsync(trust: false, request => request.Headers.Authorization = "Basic " + Base64("anybody:console-key"))).ShouldBe(StatusCodes.Status200OK);

    [Fact]
    public async Task CallerThatSeemsToBeThisMachine_IsAskedForTheKeyAllTheSame() =>
        (await OpenAsync(trust: false, request => { })).ShouldBe(StatusCodes.Status401Unauthorized, "behind a platform everybody seems to be");

    [Fact]
    public async Task SignedInPerson_Opens() => (await OpenAsync(trust: true, request => Principals.SignIn(request, "kay"))).ShouldBe(StatusCodes.Status200OK);

    [Fact]
    public async Task PrincipalHeaderWhereNoPlatformStandsInFront_IsNotBelieved() =>
        (await OpenAsync(trust: false, request => Principals.SignIn(request, "kay"))).ShouldBe(StatusCodes.Status401Unauthorized);

    [Fact]
    public async Task NobodySignedIn_IsSentToTheSignIn() => (await OpenAsync(trust: true, request => { })).ShouldBe(StatusCodes.Status302Found);

    [Theory]
    [InlineData("preferred_username", "kay@example.com", "kay@example.com (99999999-0000-0000-0000-000000000003)")]
    [InlineData("name", " Kay\nKing ", "Kay King (99999999-0000-0000-0000-000000000003)")]
    [InlineData("name", "ada", "ada (99999999-0000-0000-0000-000000000003)")]
    [InlineData("name", "  ", "99999999-0000-0000-0000-000000000003")]
    public void SomebodyWhomTheContactsDoNotKnow_IsShownWithTheIdThatTellsThemApart(string claim, string value, string expected) =>
        Find(request => Principals.SignIn(request, "kay", (claim, value)))!.Person!.Name.ShouldBe(expected);

    [Fact]
    public void SomebodyWhomTheContactsKnow_HasTheirNameWhateverThePlatformCallsThem() =>
        Find(request => Principals.SignIn(request, "ada", ("preferred_username", "boss@example.com")))!.Person!.Name.ShouldBe("ada");

    [Theory]
    [InlineData("""{"claims":[{"typ":"preferred_username","val":"ada@example.com"}]}""")]
    [InlineData("""{"claims":[{"typ":"oid","val":"99999999-0000-0000-0000-000000000001"}]}""")]
    [InlineData("""{"claims":[{"typ":"oid","val":"ada"},{"typ":"tid","val":"contoso"}]}""")]
    [InlineData("""{"claims":[null]}""")]
    [InlineData("""{"claims":[{}]}""")]
    [InlineData("not json")]
    [InlineData("[]")]
    public void PrincipalWithoutTenantAndObjectId_IsNobody(string principal) =>
        Find(request => request.Headers["X-MS-CLIENT-PRINCIPAL"] = Base64(principal)).ShouldBeNull();

    [Fact]
    public void PrincipalThatIsNoBase64_IsNobody() => Find(request => request.Headers["X-MS-CLIENT-PRINCIPAL"] = "%%%").ShouldBeNull();

    [Theory]
    [InlineData("kay", null, null, Role.Viewer)]
    [InlineData("ada", null, null, Role.Operator)]
    [InlineData("kay", "roles", "Runbooks.Admin", Role.Admin)]
    [InlineData("kay", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "Runbooks.Operator", Role.Operator)]
    [InlineData("ada", "roles", "Runbooks.Viewer", Role.Viewer)]
    [InlineData("kay", "roles", "runbooks.admin", Role.Viewer)]
    [InlineData("kay", "roles", "Runbooks.Sender", Role.Viewer)]
    [InlineData("kay", "groups", "AAAAAAAA-0000-0000-0000-00000000000a", Role.Admin)]
    [InlineData("kay", "groups", "aaaaaaaa-0000-0000-0000-00000000000b", Role.Operator)]
    [InlineData("kay", "groups", "aaaaaaaa-0000-0000-0000-00000000000c", Role.Viewer)]
    public void Role_IsWhatTheClaimsSayElseThatOfTheContacts(string who, string? claim, string? value, Role role) =>
        Find(request => Principals.SignIn(request, who, claim is null ? [] : [(claim, value!)]))!.Role.ShouldBe(role);

    [Fact]
    public void EverybodyElse_MayBeKeptOut() => Find(request => Principals.SignIn(request, "kay"), ("Auth:EverybodyElse", "Nothing"))!.Role.ShouldBe(Role.None);

    [Fact]
    public void SomebodyInTooManyGroups_IsToldThatTheyWereNotCounted() =>
        Find(request => Principals.SignIn(request, "kay", ("hasgroups", "true")))!.Remedy.ShouldContain("too many");

    /// <summary>The host has checked one of the keys that are given, nobody says which.</summary>
    [Theory]
    [InlineData("a-key-of-the-host", null, Role.Admin)]
    [InlineData("look-key", null, Role.Viewer)]
    [InlineData(null, "look-key", Role.Viewer)]
    [InlineData("look-key", "made-up", Role.Viewer)]
    [InlineData("made-up", "look-key", Role.Viewer)]
    [InlineData("act-key", "look-key", Role.Viewer)]
    [InlineData("look-key, made-up", null, Role.Viewer)]
    [InlineData("look-key,made-up", null, Role.Viewer)]
    [InlineData("act-key, look-key", null, Role.Viewer)]
    [InlineData(null, null, null)]
    public void KeyOfTheFunctionsHost_IsWhatTheSettingsSayOfIt(string? header, string? code, Role? role)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers["x-functions-key"] = header;
        request.QueryString = code is null ? default : new QueryString($"?code={code}");

        (Services(trust: false, [("ApiKeys:Named:look:Key", "look-key"), ("ApiKeys:Named:look:Role", "Viewer"), ("ApiKeys:Named:act:Key", "act-key"), ("ApiKeys:Named:act:Role", "Operator")])
            .GetRequiredService<ApiKeyAuthentication>().OfApi(request, allowQuery: false)?.Role).ShouldBe(role);
    }

    private static async Task<int> OpenAsync(bool trust, Action<HttpRequest> prepare)
    {
        var services = Services(trust);
        var context = new DefaultHttpContext { RequestServices = services };
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        context.Request.Method = "GET";
        context.Request.Host = new HostString("localhost", 7071);
        context.Request.Path = "/incidents/261123-0312-k7m2p9wd";
        prepare(context.Request);
        var result = await services.GetRequiredService<AccessGuard>().PageAsync(context.Request, Role.Viewer, () => Task.FromResult(Results.Ok()));
        await result.ExecuteAsync(context);
        return context.Response.StatusCode;
    }

    private static Actor? Find(Action<HttpRequest> prepare, params (string, string)[] settings)
    {
        var request = new DefaultHttpContext().Request;
        prepare(request);
        return Services(trust: true, settings).GetRequiredService<PlatformPrincipal>().Find(request);
    }

    private static ServiceProvider Services(bool trust, params (string Name, string Value)[] settings) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>(settings.Select(one => KeyValuePair.Create(one.Name, (string?)one.Value)))
        {
            ["Auth:TrustPlatformPrincipal"] = trust ? "true" : "false",
            ["Auth:AdminGroups:0"] = "aaaaaaaa-0000-0000-0000-00000000000a",
            ["Auth:OperatorGroups:0"] = "aaaaaaaa-0000-0000-0000-00000000000b",
            ["ApiKeys:Keys:0"] = "console-key",
            ["ApiKeys:OpenPagesOnLoopback"] = "true",
        }).Build())
        .AddLogging()
        .AddSingleton(TimeProvider.System)
        .AddSingleton<ISharedState, InMemorySharedState>()
        .AddSingleton(new CurrentContacts(new ContactBook([new(ContactBook.Fallback, [Principals.Person("ada")])])))
        .AddSingleton<ApiKeyAuthentication>().AddSingleton<PlatformPrincipal>().AddSingleton<RefusedRequests>().AddSingleton<AccessGuard>()
        // Pages take no alerts.
        .AddSingleton(new RefusedSenders(new([]), lost: null!, new InMemorySharedState(), TimeProvider.System, NullLogger<RefusedSenders>.Instance))
        .AddOptions<ApiKeyOptions>().BindConfiguration(ApiKeyOptions.SectionName).Services
        .AddOptions<SignInOptions>().BindConfiguration(SignInOptions.SectionName).Services
        .AddPlatformSignIn()
        .BuildServiceProvider();

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}

/// <summary>Who is signed in, as App Service's header says it.</summary>
internal static class Principals
{
    private const string Tenant = "11111111-2222-3333-4444-555555555555";

    public static Recipient Person(string name) =>
        new(name, [new("test", name, name)]) { Identities = [Identity.SignIn($"{Tenant}/{Object(name)}"), Identity.SignIn($"{name}@example.com"), Identity.Slack($"U0{name.ToUpperInvariant()}")] };

    public static string Header(string who, params IEnumerable<(string Type, string Value)> claims)
    {
        var all = claims.Prepend(("http://schemas.microsoft.com/identity/claims/objectidentifier", Object(who))).Prepend(("http://schemas.microsoft.com/identity/claims/tenantid", Tenant));
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { auth_typ = "aad", claims = all.Select(claim => new { typ = claim.Item1, val = claim.Item2 }) })));
    }

    public static void SignIn(HttpRequest request, string who, params IEnumerable<(string Type, string Value)> claims) => request.Headers["X-MS-CLIENT-PRINCIPAL"] = Header(who, claims);

    private static string Object(string name) => $"99999999-0000-0000-0000-00000000000{(name switch { "ada" => 1, "grace" => 2, _ => 3 })}";
}
