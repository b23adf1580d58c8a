using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Web.Http;
using Runbooks.Web.SignIn;

namespace Runbooks.Web.Tests.SignIn;

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
    public async Task SignedInPerson_Opens() =>
        (await OpenAsync(trust: true, request => SignIn(request, ("preferred_username", "ada@example.com")))).ShouldBe(StatusCodes.Status200OK);

    [Fact]
    public async Task PrincipalHeaderWhereNoPlatformStandsInFront_IsNotBelieved() =>
        (await OpenAsync(trust: false, request => SignIn(request, ("preferred_username", "ada@example.com")))).ShouldBe(StatusCodes.Status401Unauthorized);

    [Fact]
    public async Task NobodySignedIn_IsSentToTheSignIn() => (await OpenAsync(trust: true, request => { })).ShouldBe(StatusCodes.Status302Found);

    [Theory]
    [InlineData("preferred_username", "ada@example.com", "ada@example.com")]
    [InlineData("name", " Ada ", "Ada")]
    [InlineData("roles", "Reader", null)]
    [InlineData("name", "  ", null)]
    public void Person_IsNamedByTheMostTellingClaim(string claim, string value, string? expected)
    {
        var request = new DefaultHttpContext().Request;
        SignIn(request, (claim, value));

        Principal(trust: true).NameOf(request).ShouldBe(expected);
    }

    [Theory]
    [InlineData("%%%")]
    [InlineData("bm90IGpzb24=")]
    [InlineData("W10=")]
    [InlineData("eyJjbGFpbXMiOlt7fV19")]
    public void UnreadablePrincipal_IsNobody(string header)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers["X-MS-CLIENT-PRINCIPAL"] = header;

        Principal(trust: true).NameOf(request).ShouldBeNull();
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
        var result = await services.GetRequiredService<ConsoleAccess>().GuardAsync(context.Request, () => Task.FromResult(Results.Ok()));
        await result.ExecuteAsync(context);
        return context.Response.StatusCode;
    }

    private static PlatformPrincipal Principal(bool trust) => Services(trust).GetRequiredService<PlatformPrincipal>();

    private static ServiceProvider Services(bool trust) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Auth:TrustPlatformPrincipal"] = trust ? "true" : "false",
            ["ApiKeys:Keys:0"] = "console-key",
            ["ApiKeys:OpenPagesOnLoopback"] = "true",
        }).Build())
        .AddLogging()
        .AddSingleton(TimeProvider.System)
        .AddSingleton<ApiKeyAuthentication>()
        .AddOptions<ApiKeyOptions>().BindConfiguration(ApiKeyOptions.SectionName).Services
        .AddPlatformSignIn()
        .BuildServiceProvider();

    private static void SignIn(HttpRequest request, (string Type, string Value) claim) =>
        request.Headers["X-MS-CLIENT-PRINCIPAL"] = Base64(JsonSerializer.Serialize(
            new { auth_typ = "aad", claims = new[] { new { typ = claim.Type, val = claim.Value } } }));

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
