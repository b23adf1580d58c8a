using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Runbooks.Web.Access;
using Runbooks.Web.SignIn;
using TestKit.Storage;

namespace Runbooks.Web.Tests.SignIn;

public sealed class SecureWebhookTests : IDisposable
{
    private const string Tenant = "7b1c0f5e-5d0f-4a43-9c57-0f8f6c1f7f11";
    private const string Audience = "api://runbooks";

    private static readonly DateTimeOffset s_now = new(2026, 11, 23, 3, 0, 0, TimeSpan.Zero);

    private readonly RSA _key = RSA.Create(2048);
    private readonly RSA _stranger = RSA.Create(2048);
    private readonly FakeTimeProvider _time = new(s_now);
    private readonly TenantKeys _tenant = new();

    public SecureWebhookTests() => _tenant.Publish(new RsaSecurityKey(_key) { KeyId = "k1" });

    [Fact]
    public async Task AzureMonitorsToken_LetsIn() => (await PostAsync(Token())).ShouldBe(StatusCodes.Status202Accepted);

    [Fact]
    public async Task SecondVersionOfTokens_LetsIn() =>
        (await PostAsync(Token(issuer: $"https://login.microsoftonline.com/{Tenant}/v2.0", caller: "azp", change: claims => claims["aud"] = "runbooks"))).ShouldBe(StatusCodes.Status202Accepted);

    [Theory]
    [InlineData("event-grid", "AzureEventGridSecureWebhookSubscriber", StatusCodes.Status202Accepted)]
    [InlineData("event-grid", "ActionGroupsSecureWebhook", StatusCodes.Status401Unauthorized)]
    [InlineData("azure-monitor", "AzureEventGridSecureWebhookSubscriber", StatusCodes.Status401Unauthorized)]
    public async Task EventGridsToken_LetsInWithItsRoleForItsOwnEvents(string source, string role, int status) =>
        (await PostAsync(
            Token(change: claims => (claims["appid"], claims["roles"]) = (SecureWebhookOptions.EventGrid, new[] { role })), source: source)).ShouldBe(status);

    [Theory]
    [InlineData("aud", "api://somebody-else")]
    [InlineData("iss", "https://sts.windows.net/00000000-0000-0000-0000-000000000000/")]
    [InlineData("appid", "00000000-0000-0000-0000-000000000000")]
    [InlineData("roles", "Reader")]
    public async Task AnythingElseInTheToken_KeepsOut(string claim, string value) =>
        (await PostAsync(Token(change: claims => claims[claim] = value))).ShouldBe(StatusCodes.Status401Unauthorized);

    [Theory]
    [InlineData("appid")]
    [InlineData("roles")]
    [InlineData("aud")]
    public async Task AnythingMissingInTheToken_KeepsOut(string claim) =>
        (await PostAsync(Token(change: claims => claims.Remove(claim)))).ShouldBe(StatusCodes.Status401Unauthorized);

    [Fact]
    public async Task ForeignSignature_KeepsOut() =>
        (await PostAsync(Token(key: new RsaSecurityKey(_stranger) { KeyId = "k1" }))).ShouldBe(StatusCodes.Status401Unauthorized);

    [Fact]
    public async Task UnsignedToken_KeepsOut()
    {
        var parts = Token().Split('.');
        var header = Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""");

        (await PostAsync($"{header}.{parts[1]}.")).ShouldBe(StatusCodes.Status401Unauthorized);
    }

    [Fact]
    public async Task ExpiredToken_KeepsOut()
    {
        var token = Token();
        _time.Advance(TimeSpan.FromMinutes(66));

        (await PostAsync(token)).ShouldBe(StatusCodes.Status401Unauthorized);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("not a token")]
    public async Task NoToken_KeepsOut(string? token) => (await PostAsync(token)).ShouldBe(StatusCodes.Status401Unauthorized);

    [Fact]
    public async Task KeyThatWasRolled_IsFetchedAgain()
    {
        using var next = RSA.Create(2048);
        var key = new RsaSecurityKey(next) { KeyId = "k2" };
        _tenant.AfterRefresh = () => _tenant.Publish(key);

        (await PostAsync(Token(key: key))).ShouldBe(StatusCodes.Status202Accepted);
    }

    [Fact]
    public async Task TenantThatCannotBeReached_AsksTheSenderToTryAgain()
    {
        _tenant.Fault = new InvalidOperationException("no answer");

        (await PostAsync(Token())).ShouldBe(StatusCodes.Status503ServiceUnavailable);
    }

    [Fact]
    public async Task WithoutTenant_TheWayIsClosed() =>
        (await PostAsync(Token(), new SecureWebhookOptions())).ShouldBe(StatusCodes.Status404NotFound);

    public void Dispose()
    {
        _key.Dispose();
        _stranger.Dispose();
    }

    private async Task<int?> PostAsync(string? token, SecureWebhookOptions? options = null, string source = "azure-monitor")
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Authorization = token is null ? default : $"Bearer {token}";
        var webhook = new SecureWebhook(
            Options.Create(options ?? new SecureWebhookOptions { TenantId = Tenant, Audience = Audience }), _tenant,
            new RefusedSenders(new([]), lost: null!, new InMemorySharedState(), _time, NullLogger<RefusedSenders>.Instance), _time, NullLogger<SecureWebhook>.Instance);
        var result = await webhook.GuardAsync(context.Request, source, () => Task.FromResult(Results.Accepted()));
        return ((IStatusCodeHttpResult)result).StatusCode;
    }

    private string Token(string? issuer = null, string caller = "appid", SecurityKey? key = null, Action<Dictionary<string, object>>? change = null)
    {
        var claims = new Dictionary<string, object>
        {
            ["iss"] = issuer ?? $"https://sts.windows.net/{Tenant}/",
            ["aud"] = Audience,
            [caller] = SecureWebhookOptions.AzureMonitor,
            ["roles"] = new[] { "ActionGroupsSecureWebhook" },
            ["nbf"] = s_now.ToUnixTimeSeconds(),
            ["exp"] = s_now.AddHours(1).ToUnixTimeSeconds(),
        };
        change?.Invoke(claims);
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Claims = claims,
            SigningCredentials = new SigningCredentials(key ?? new RsaSecurityKey(_key) { KeyId = "k1" }, SecurityAlgorithms.RsaSha256),
        });
    }

    private sealed class TenantKeys : IConfigurationManager<OpenIdConnectConfiguration>
    {
        private OpenIdConnectConfiguration _published = new();

        public Action? AfterRefresh { get; set; }

        public Exception? Fault { get; set; }

        public void Publish(SecurityKey key)
        {
            _published = new OpenIdConnectConfiguration();
            _published.SigningKeys.Add(key);
        }

        public Task<OpenIdConnectConfiguration> GetConfigurationAsync(CancellationToken cancel) =>
            Fault is null ? Task.FromResult(_published) : throw Fault;

        public void RequestRefresh() => AfterRefresh?.Invoke();
    }
}
