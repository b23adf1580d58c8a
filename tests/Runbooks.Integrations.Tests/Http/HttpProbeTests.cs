using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Http;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Http;

public sealed class HttpProbeTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddHttpProbe();

    private Task<CheckResult> ProbeAsync(string path) => AskAsync("http.probe", new { url = $"{SandboxAddress}{path}" });

    [Fact]
    public async Task ExpectedStatus_IsPassing()
    {
        var result = await ProbeAsync("prometheus/-/healthy?key=secret");

        result.Verdict.ShouldBe(Verdict.Passing);
        result.Summary.ShouldBe($"{SandboxAddress}prometheus/-/healthy answered 200 in 0 ms.");
    }

    [Fact]
    public async Task OtherStatus_IsFailing()
    {
        await FaultAsync("prometheus", "503");

        var result = await ProbeAsync("prometheus/-/healthy");

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldContain("answered 503 in 0 ms, expected 200");
    }

    [Theory]
    [InlineData("is Healthy", Verdict.Passing)]
    [InlineData("is Sick", Verdict.Failing)]
    public async Task ExpectedBody_IsLookedFor(string expectBody, Verdict verdict) =>
        (await AskAsync("http.probe", new { url = $"{SandboxAddress}prometheus/-/healthy", expectBody })).Verdict.ShouldBe(verdict);

    [Fact]
    public async Task NameWithoutAnAddress_IsUnknownForNobodyWasAsked()
    {
        var result = await AskAsync("http.probe", new { url = "http://nobody.invalid/" });

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldStartWith("http://nobody.invalid/ was not asked: its name leads to no address.");
    }

    [Fact]
    public async Task Silence_IsFailingAfterTheTimeout()
    {
        await FaultAsync("prometheus", "slow");
        var asked = AskWithClockAsync();
        while (!(await RequestsAsync()).Any(request => request.Contains("healthy")))
        {
            await Task.Yield();
        }

        Clock.Advance(TimeSpan.FromSeconds(5));

        (await asked).Summary.ShouldContain("did not answer within 5 s");
    }

    [Theory]
    [InlineData("http.probe", "url: http://x/, timeout: 30s", 35)]
    [InlineData("http.probe", "url: http://x/", 20)]
    [InlineData("http.probe", "url: http://x/, timeout: 3s", 20)]
    [InlineData("tls.certificate", "endpoint: x, timeout: 2m", 125)]
    [InlineData("llm.provider", "timeout: 60s", 65)]
    public void CheckWithALongLimitOfItsOwn_HasTheTimeToComeToIt(string check, string with, int seconds)
    {
        using var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build()).AddSingleton<TimeProvider>(Clock).AddLogging().AddRunbookCatalog().AddIntegrations().BuildServiceProvider();
        var catalog = services.GetRequiredService<RunbookCatalog>();
        catalog.Load([new RunbookFile("r.yaml", $$"""
            id: r
            title: R
            summary: S.
            owner: o
            trigger: [{ alert: A }]
            target: x
            impact: { severity: low, users: Some., data: Safe. }
            diagnosis: { c: { ask: Is it?, check: {{check}}, with: { {{with}} } } }
            resolution: { steps: { n: { do: note, with: { text: x } } } }
            """)]).Errors.ShouldBeEmpty();

        catalog.Current.Single().Diagnosis.Single().Timeout.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public async Task BrokenConnection_IsFailing()
    {
        await FaultAsync("prometheus", "unreachable");

        (await ProbeAsync("prometheus/-/healthy")).Summary.ShouldContain("cannot be reached");
    }

    private Task<CheckResult> AskWithClockAsync() => Services.GetRequiredService<StepCatalog>().FindCheck("http.probe")!.AskAsync(
        new HttpProbeParameters { Url = $"{SandboxAddress}prometheus/-/healthy", Timeout = TimeSpan.FromSeconds(5) }, Context(Clock), Cancel);
}

public sealed class HttpProbeGuardTests : OnTheSandbox
{
    protected override IReadOnlyDictionary<string, string?> Settings =>
        new Dictionary<string, string?> { ["HttpProbe:AllowedHosts:0"] = "elsewhere.example" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddHttpProbe();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("[::ffff:127.0.0.1]")]
    public async Task PrivateAddressThatIsNotAllowed_IsNeverConnectedTo(string host)
    {
        var result = await AskAsync("http.probe", new { url = $"http://{host}:{SandboxAddress.Port}/prometheus/-/healthy" });

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain("private, link-local or metadata address");
        (await RequestsAsync()).ShouldBeEmpty();
    }
}

public sealed class HttpProbeRedirectTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddHttpProbe();

    protected override IReadOnlyDictionary<string, string?> Settings =>
        new Dictionary<string, string?> { ["HttpProbe:AllowedHosts:1"] = "127.0.0.1" };

    [Theory]
    [InlineData("/ok", 200)]
    [InlineData("http://localhost:1/", 302)]
    [InlineData("http://169.254.169.254/metadata", 302)]
    [InlineData("/to", 302)]
    public async Task Redirect_IsFollowedOnTheSameHostOnly(string location, int seen)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapGet("/ok", () => "fine");
        app.MapGet("/to", (HttpResponse response) => response.Redirect(location));
        await app.StartAsync(Cancel);

        var result = await AskAsync("http.probe", new { url = $"{app.Urls.First()}/to" });

        result.Value.ShouldBe($"{seen}");
    }
}
