using System.Net.Http.Json;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog;
using Runbooks.Execution;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using TestKit;
using TestKit.Incidents;
using TestKit.People;
using Runbooks.Storage;

namespace Runbooks.Integrations.Tests.Shipped;

/// <summary>
/// The shipped runbook files, the sample alerts, the real integrations and the sandbox over real HTTP, around the
/// core on virtual time.
/// </summary>
public sealed class SandboxWorld : IAsyncDisposable
{
    private readonly SandboxServer _sandbox;
    private readonly HttpClient _http;
    private readonly IncidentWorld _world;
    private readonly IncidentIntake _intake;

    private SandboxWorld(SandboxServer sandbox, IncidentWorld world)
    {
        (_sandbox, _world) = (sandbox, world);
        _http = new HttpClient { BaseAddress = sandbox.BaseAddress };
        var catalog = world.Services.GetRequiredService<RunbookCatalog>();
        var files = Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "runbooks"), "*.yaml");
        catalog.Load(files.Select(file => new RunbookFile(Path.GetFileName(file), QuickRunbook.Of(File.ReadAllText(file))) { Samples = SampleFolder.Read(Path.GetDirectoryName(file)!) })).Errors.ShouldBeEmpty();
        _intake = ActivatorUtilities.CreateInstance<IncidentIntake>(
            world.Services, (LoadedRunbooks)(() => catalog.Current), world.Engine, ActivatorUtilities.CreateInstance<AlertUpdates>(world.Services, world.Engine),
            ActivatorUtilities.CreateInstance<UnmatchedAlerts>(world.Services));
    }

    public Uri Address => _sandbox.BaseAddress;

    public T Get<T>()
        where T : notnull => _world.Get<T>();

    public RecordingNotifier Notifier => _world.Notifier;

    public IReadOnlyList<Card> Cards => [.. _world.Notifier.Sent.Select(sent => sent.Card)];

    public string? Evidence(string reference) => _world.Evidence.TextOf(reference);

    /// <param name="settings">Beside those that point at the sandbox.</param>
    public static async Task<SandboxWorld> StartAsync(IReadOnlyDictionary<string, string?>? settings = null)
    {
        var clock = new ForwardedTime();
        var sandbox = await SandboxServer.StartAsync(
            new SandboxOptions { Port = 0, Time = clock, TerminatesAfter = TimeSpan.Zero, ReadyAfter = TimeSpan.Zero, OperationTakes = TimeSpan.Zero }, default);
        var world = new IncidentWorld(configure: services => Configure(services, sandbox.BaseAddress, settings));
        clock.Inner = world.Time;
        return new SandboxWorld(sandbox, world);
    }

    /// <summary>Posts a sample alert, and lets the incident run as far as it goes without anybody's help.</summary>
    public Task<Incident> FireAsync(string sample) => FireAsync(sample, post => post);

    public async Task<Incident> FireAsync(string sample, Func<string, string> edit)
    {
        using var reader = new StreamReader(Assembly.Load("runbook").GetManifestResourceStream($"samples/{sample}.json").ShouldNotBeNull());
        var post = Encoding.UTF8.GetBytes(edit(await reader.ReadToEndAsync()));
        var parsed = _world.Services.GetRequiredService<AlertReader>().Read(sample.Split('.')[1], post);
        parsed.Errors.ShouldBeEmpty();
        var outcome = (await _intake.ReceiveAsync(parsed.Alerts, CancellationToken.None)).ShouldHaveSingleItem();
        return await _world.SettleAsync(outcome.Id.ShouldNotBeNull(outcome.Reason));
    }

    /// <summary>Opens an incident of a runbook that no file holds.</summary>
    public Task<Incident> OpenAsync(Runbook runbook) => _world.OpenAsync(runbook);

    public async Task<Incident> ApproveAsync(string id) => (await _world.DecideAsync(id, DecisionVerb.Approve)).Incident;

    public Task<Incident> AdvanceAsync(string id, TimeSpan by) => _world.AdvanceAsync(id, by);

    /// <summary>Something slow takes 25 seconds: longer than an impatient check waits, shorter than a step.</summary>
    public Task FaultAsync(string api, string kind, string? on = null, int count = 1, int skip = 0, int seconds = 25) =>
        SendAsync(HttpMethod.Post, "/_sandbox/faults", new { api, kind, count, on, skip, seconds });

    public Task ScaleAsync(string ns, string deployment, int replicas) =>
        SendAsync(HttpMethod.Patch, $"/kubernetes/b/apis/apps/v1/namespaces/{ns}/deployments/{deployment}/scale", new { spec = new { replicas } }, "application/merge-patch+json");

    public Task CordonAsync(string node) => SendAsync(HttpMethod.Patch, $"/kubernetes/b/api/v1/nodes/{node}", new { spec = new { unschedulable = true } }, "application/merge-patch+json");

    public async Task SendAsync(HttpMethod method, string path, object body, string? mediaType = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body, mediaType is null ? null : new System.Net.Http.Headers.MediaTypeHeaderValue(mediaType)) };
        (await _http.SendAsync(request)).EnsureSuccessStatusCode();
    }

    public async Task<bool> ExistsAsync(string path) => (await _http.GetAsync(path)).IsSuccessStatusCode;

    /// <summary>All that the sandbox's APIs hold and that runbooks can change, to tell whether it is as it was.</summary>
    public async Task<string> StateAsync()
    {
        var apis = (await GetAsync("/_sandbox/state")).GetProperty("apis");
        return $"{apis.GetProperty("kubernetes").GetProperty("b").GetProperty("pods")} {apis.GetProperty("kubernetes").GetProperty("b").GetProperty("workloads")} {apis.GetProperty("appconfiguration")} {apis.GetProperty("arm").GetProperty("resources")}";
    }

    public async Task<JsonElement> GetAsync(string path) => await _http.GetFromJsonAsync<JsonElement>(path);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _world.DisposeAsync();
        await _sandbox.DisposeAsync();
    }

    private static void Configure(IServiceCollection services, Uri sandbox, IReadOnlyDictionary<string, string?>? settings)
    {
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(SandboxSettings.For(sandbox))
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["LinkSigning:Keys:0:Id"] = "k1",
                ["LinkSigning:Keys:0:Secret"] = ApprovalOffice.LinkSecret("k1"),
                ["OutboundHttp:Retries"] = "0",
            })
            .AddInMemoryCollection(settings)
            .Build());
        services.AddIntegrations();
        // Actions that look again every few seconds do not hold up the test.
        services.AddSingleton(provider => new StepContextFactory(
            provider.GetRequiredService<IEvidenceStore>(),
            provider.GetRequiredService<KillSwitch>(),
            new SkippingTime((FakeTimeProvider)provider.GetRequiredService<TimeProvider>(), TimeSpan.FromSeconds(5))));
    }

    /// <summary>The sandbox is started before the clock of the world exists. What is slow there is over at once, and the clock has moved on by it.</summary>
    private sealed class ForwardedTime : TimeProvider
    {
        public FakeTimeProvider Inner { get; set; } = new();

        public override DateTimeOffset GetUtcNow() => Inner.GetUtcNow();

        public override long GetTimestamp() => Inner.GetTimestamp();

        public override long TimestampFrequency => Inner.TimestampFrequency;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new SkippingTime(Inner).CreateTimer(callback, state, dueTime, period);
    }
}

/// <summary>A test with a world of its own.</summary>
public abstract class InSandboxWorld : IAsyncLifetime
{
    private protected SandboxWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await SandboxWorld.StartAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _world.DisposeAsync();
    }
}
