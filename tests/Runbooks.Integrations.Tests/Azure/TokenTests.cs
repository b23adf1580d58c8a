using System.ComponentModel.DataAnnotations;
using Azure.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Http;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.LiteLlm;
using Runbooks.Integrations.Llm;
using Runbooks.Integrations.OnCall;
using Runbooks.Integrations.Prometheus;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Integrations.Tickets;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Integrations.Tests.Azure;

/// <summary>Each kind of endpoint is sent a token of the app's identity, made out for that kind.</summary>
public sealed class TokenTests : OnTheSandbox, IAsyncLifetime
{
    private readonly TlsFront _front = new();

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Prometheus:Endpoints:practice:Url"] = $"{_front.Address}prometheus",
        ["Prometheus:Endpoints:practice:AzureIdentity"] = "true",
        ["Azure:ManagementEndpoint"] = $"{_front.Address}arm",
        ["Azure:LogsEndpoint"] = $"{_front.Address}logs",
        ["AppConfiguration:Stores:practice:Endpoint"] = $"{_front.Address}appconfiguration",
    };

    protected override IServiceCollection Add(IServiceCollection services) => services
        .AddSingleton<TokenCredential>(new KnownIdentity())
        .AddSingleton(provider => new AzurePipelines(
            provider.GetRequiredService<TokenCredential>(), provider.GetRequiredService<IOptions<OutboundHttpOptions>>(), _front.Trust))
        .AddPrometheus()
        .AddAzureMonitor()
        .AddAppConfiguration();

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        await _front.StartAsync(() => SandboxAddress);
        await InitializeAsync();
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await _front.DisposeAsync();
    }

    private void ShouldHaveSent(string scope) => _front.Authorizations.Distinct().ShouldBe([$"Bearer for {scope}"]);

    [Fact]
    public async Task ManagedPrometheus_IsAskedWithTheIdentitysToken()
    {
        var result = await AskAsync("prometheus.query", new { query = "max(DCGM_FI_DEV_FB_USED)", failing = "> 76000" });

        result.Verdict.ShouldBe(Verdict.Failing, result.Summary);
        result.Series.ShouldNotBeEmpty();
        result.Link.ShouldBeNull("an Azure Monitor workspace has no page under its query endpoint");
        ShouldHaveSent("https://prometheus.monitor.azure.com/.default");
    }

    [Theory]
    [InlineData("403", "lacks the role Monitoring Data Reader on Prometheus 'practice'")]
    [InlineData("500", "answered 500")]
    public async Task ManagedPrometheusThatDoesNotAnswer_IsUnknownAndSaysWhy(string fault, string words)
    {
        await FaultAsync("prometheus", fault);

        var result = await AskAsync("prometheus.query", new { query = "up", failing = "> 76000" });

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain(words);
    }

    [Fact]
    public async Task BadQueryToManagedPrometheus_IsUnknownWithTheServersWords() =>
        (await AskAsync("prometheus.query", new { query = "max(up{pod=", failing = "> 76000" })).Summary.ShouldContain("parse error: unexpected end of input");

    [Fact]
    public async Task EndpointThatIsNotTrusted_WasReached()
    {
        var client = new AzurePipelines(new KnownIdentity(), Services.GetRequiredService<IOptions<OutboundHttpOptions>>()).To(_front.Address, "https://vault.azure.net/.default");

        var failed = await Should.ThrowAsync<AzureRequestException>(() => client.SendAsync(new AzureRequest(RequestMethod.Post, _front.Address, "change it", "thing", "Owner"), Cancel));

        failed.Message.ShouldStartWith("thing is reached to change it, but no secure connection to it comes about: The remote certificate is invalid");
        failed.NothingDone.ShouldBeTrue();
    }

    [Fact]
    public async Task Logs_AreAskedWithTheIdentitysToken()
    {
        await AskAsync("azureMonitor.logs", new { workspace = "00000000-0000-0000-0000-0000000000aa", query = "AppRequests | count", failing = "> 1" });

        ShouldHaveSent("https://api.loganalytics.io/.default");
    }

    [Fact]
    public async Task ResourceManager_IsAskedWithTheIdentitysToken()
    {
        await AskAsync("resourceHealth", new { resource = Resource("Microsoft.Network/applicationGateways", "gw") });

        // The scope is that of the cloud: https://management.azure.com/.default in the public one.
        ShouldHaveSent($"{_front.Address}arm/.default");
    }

    [Fact]
    public async Task AppConfiguration_IsAskedWithTheIdentitysToken()
    {
        await PrepareAsync("appConfiguration.setFlag", new { flag = "local-model-only" });

        ShouldHaveSent("https://appconfig.azure.com/.default");
    }

    [Fact]
    public void TokenAndIdentity_AreOneTooMany()
    {
        var options = new PrometheusOptions { Endpoints = { ["p"] = new() { Url = "https://prometheus.example", Token = "x", AzureIdentity = true } } };

        options.Validate(new(options)).ShouldHaveSingleItem().ErrorMessage!.ShouldContain("Choose one");
    }

    /// <summary>As people copy them out of a documentation of the API.</summary>
    [Fact]
    public void AddressesWithThePathsThatAreAdded_AreRefused()
    {
        IValidatableObject[] options =
        [
            new LlmProviderOptions { Providers = { ["p"] = new() { Url = "https://api.example.com/v1/chat/completions" } } },
            new GrafanaOnCallOptions { Url = "https://oncall.example/oncall/api/v1/schedules" },
            .. new[]
            {
                (TicketKind.Jira, "https://example.atlassian.net/rest/api/3"),
                (TicketKind.ServiceNow, "https://example.service-now.com/api/now/table"),
                (TicketKind.AzureDevOps, "https://dev.azure.com/example/_apis/wit"),
            }.Select(one => new TicketsOptions
            {
                Systems = { ["t"] = new() { Kind = one.Item1, Url = one.Item2, User = "u", Secret = "s", Project = "p" } },
            }),
        ];

        options.ShouldEach(one => one.Validate(new ValidationContext(one)).Single().ErrorMessage!.Contains("in it: that is added."));
    }

    /// <summary>A proxy may be below a path of its own, such as LiteLLM's SERVER_ROOT_PATH, and a cluster behind the service of another.</summary>
    [Theory]
    [InlineData("https://gateway.example/v1/", "LiteLlm:Proxies:p:Url must not end in /v1: its admin API is beside it.", null)]
    [InlineData("https://gateway.example/api/v1", null, "has a Server that ends in /api/v1: that is added.")]
    [InlineData("https://gateway.example/api/v1/namespaces/vc/services/https:vcluster:443/proxy", null, null)]
    public void PathThatBelongsToTheAddress_IsTaken(string url, string? proxy, string? cluster)
    {
        var options = new LiteLlmOptions { Proxies = { ["p"] = new() { Url = url, ApiKey = "k" } } };

        options.Validate(new(options)).SingleOrDefault()?.ErrorMessage.ShouldBe(proxy);
        options.Validate(new(options)).Any().ShouldBe(proxy is not null);
        new ClusterOptions { Server = url }.Problems().ShouldBe(cluster is null ? [] : [cluster]);
    }

    [Theory]
    [InlineData("https://prometheus.example/api/v1")]
    [InlineData("https://prometheus.example/prometheus/api/v1/")]
    public void AddressWithThePathThatIsAdded_IsRefused(string url)
    {
        var options = new PrometheusOptions { Endpoints = { ["p"] = new() { Url = url } } };

        options.Validate(new(options)).ShouldHaveSingleItem().ErrorMessage.ShouldBe("Prometheus:Endpoints:p:Url must not end in /api/v1: that is added.");
    }

    [Fact]
    public void IdentityOverPlainHttp_IsRefused()
    {
        var options = new PrometheusOptions { Endpoints = { ["p"] = new() { Url = "http://prometheus.example", AzureIdentity = true } } };

        options.Validate(new(options)).ShouldHaveSingleItem().ErrorMessage!.ShouldContain("plain http");
    }
}
