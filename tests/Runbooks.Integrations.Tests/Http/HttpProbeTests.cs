using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Http;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;
using TestKit.Storage;

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

/// <summary>An answer that goes on for as long as somebody listens, such as a stream of events.</summary>
public sealed class HttpProbeStreamTests : IHttpClientFactory
{
    private readonly FakeTimeProvider _clock = new();
    private readonly List<string> _pieces = [];

    HttpClient IHttpClientFactory.CreateClient(string name) => new(new Streaming(new EndlessStream(_pieces, () => _clock.Advance(TimeSpan.FromSeconds(10)))));

    [Theory]
    [InlineData("data: ready\n\n")]
    [InlineData("data: re|ady\n\n")]
    [InlineData("data: no\n\n|data: r|e|a|d|y")]
    public async Task TextThatHasCome_IsFoundBeforeTheEnd(string pieces) => (await AskAsync(pieces)).Verdict.ShouldBe(Verdict.Passing);

    [Fact]
    public async Task TextThatDoesNotCome_IsNotCalledSilence() =>
        (await AskAsync("data: no\n\n")).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Failing),
            result => result.Summary.ShouldBe("https://chat.example/events answered 200 in 10000 ms, but its body had not ended by then, and was without the expected text so far."));

    private Task<CheckResult> AskAsync(string pieces)
    {
        _pieces.AddRange(pieces.Split('|'));
        var step = new StepContext { IncidentId = "i", RunbookId = "r", Target = "n", IdempotencyKey = "k", Evidence = new InMemoryEvidenceStore(), Time = _clock };
        return ((ICheck)new HttpProbe(this)).AskAsync(new HttpProbeParameters { Url = "https://chat.example/events", ExpectBody = "ready" }, step, TestContext.Current.CancellationToken);
    }

    private sealed class Streaming(Stream body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { RequestMessage = request, Content = new StreamContent(body) });
    }

    /// <summary>Gives one piece at a time, and then nothing and no end.</summary>
    private sealed class EndlessStream(List<string> pieces, Action then) : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (pieces.Count == 0)
            {
                then();
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            var piece = Encoding.UTF8.GetBytes(pieces[0]);
            pieces.RemoveAt(0);
            piece.CopyTo(buffer);
            return piece.Length;
        }
    }
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
    [InlineData("0.0.0.0")]
    [InlineData("[::]")]
    public async Task PrivateAddressThatIsNotAllowed_IsNeverConnectedTo(string host)
    {
        var result = await AskAsync("http.probe", new { url = $"http://{host}:{SandboxAddress.Port}/prometheus/-/healthy" });

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain("private, link-local or metadata address. Add it to HttpProbe:AllowedHosts if it is meant");
        (await RequestsAsync()).ShouldBeEmpty();
    }
}

public sealed class HttpProbeRedirectTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddHttpProbe();

    protected override IReadOnlyDictionary<string, string?> Settings =>
        new Dictionary<string, string?> { ["HttpProbe:AllowedHosts:1"] = "127.0.0.1" };

    [Theory]
    [InlineData("/ok", 302, "answered 200 in")]
    [InlineData("http://localhost:1/", 302, "answered 302 in 0 ms, expected 200 (a redirect to http://localhost:1 is not followed).")]
    [InlineData("http://169.254.169.254/metadata", 302, "answered 302 in 0 ms, expected 200 (a redirect to http://169.254.169.254 is not followed).")]
    [InlineData("/to", 302, "answered 302 in 0 ms, expected 200 (after 5 redirects on this host).")]
    [InlineData("/ok", 202, "answered 202 in 0 ms, expected 200.")]
    public async Task Redirect_IsFollowedOnTheSameHostOnly(string location, int status, string words)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapGet("/ok", () => "fine");
        app.MapGet("/to", (HttpResponse response) =>
        {
            response.StatusCode = status;
            response.Headers.Location = location;
        });
        await app.StartAsync(Cancel);

        var result = await AskAsync("http.probe", new { url = $"{app.Urls.First()}/to" });

        result.Summary.ShouldContain(words);
    }
}
