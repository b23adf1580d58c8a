using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using TestKit.Storage;

namespace Runbooks.Integrations.Tests.Support;

/// <summary>A test with a sandbox of its own and the real integrations pointed at it, all on one virtual clock.</summary>
public abstract class OnTheSandbox : IAsyncLifetime
{
    private SandboxServer? _sandbox;
    private ServiceProvider? _services;

    protected FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 24, 3, 0, 0, TimeSpan.Zero));

    private protected InMemoryEvidenceStore Evidence { get; } = new();

    protected HttpClient Http { get; } = new();

    protected Uri SandboxAddress => _sandbox!.BaseAddress;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected IServiceProvider Services => _services!;

    /// <summary>Settings that differ from those of the practice mode.</summary>
    protected virtual IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>();

    public async ValueTask InitializeAsync()
    {
        _sandbox = await SandboxServer.StartAsync(new SandboxOptions { Port = 0, Time = Clock }, Cancel);
        Http.BaseAddress = _sandbox.BaseAddress;
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(SandboxSettings.For(_sandbox.BaseAddress))
            .AddInMemoryCollection(new Dictionary<string, string?> { ["OutboundHttp:Retries"] = "0" })
            .AddInMemoryCollection(Settings)
            .Build();
        _services = Add(new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddSingleton<TimeProvider>(Clock).AddSingleton<ISharedState>(new InMemorySharedState())).AddSingleton<StepCatalog>().BuildServiceProvider();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Http.Dispose();
        await (_services?.DisposeAsync() ?? default);
        await (_sandbox?.DisposeAsync() ?? default);
    }

    /// <summary>Checks hardly poll, and their own time limits must not be skipped to.</summary>
    protected virtual TimeProvider CheckTime => Clock;

    protected abstract IServiceCollection Add(IServiceCollection services);

    protected async Task FaultAsync(string api, string kind, int count = 1, string? on = null, int skip = 0)
    {
        var answer = await Http.PostAsJsonAsync("/_sandbox/faults", new { api, kind, count, on, skip }, Cancel);
        answer.EnsureSuccessStatusCode();
    }

    protected async Task<JsonElement> StateAsync() => await Http.GetFromJsonAsync<JsonElement>("/_sandbox/state", Cancel);

    /// <summary>What the sandbox was asked, <c>METHOD /path?query</c>, oldest first.</summary>
    protected async Task<IReadOnlyList<string>> RequestsAsync() =>
        [.. (await StateAsync()).GetProperty("requests").EnumerateArray().Select(request => request.GetString()!)];

    /// <summary>The bodies that the sandbox was sent, oldest first.</summary>
    protected async Task<IReadOnlyList<(string Request, JsonElement Body)>> SentAsync() =>
    [
        .. (await StateAsync()).GetProperty("bodies").EnumerateArray()
            .Select(change => (change.GetProperty("request").GetString()!, change.GetProperty("body"))),
    ];

    protected async Task<JsonElement> ArmAsync(string id, string? version = null) => await Http.GetFromJsonAsync<JsonElement>($"/arm{id}?api-version={version ?? VersionOf(id)}", Cancel);

    /// <summary>As somebody else does with the portal; what Azure only takes at first is done when this returns.</summary>
    protected async Task ChangeAsync(HttpMethod method, string id, object body)
    {
        using var request = new HttpRequestMessage(method, $"/arm{id}?api-version={VersionOf(id)}") { Content = JsonContent.Create(body) };
        var answer = await Http.SendAsync(request, Cancel);
        answer.EnsureSuccessStatusCode();
        if (answer.Headers.Contains("Azure-AsyncOperation"))
        {
            Clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>One that the type has: there is none that all have.</summary>
    private static string VersionOf(string id) => id.ToLowerInvariant().Split("/providers/")[1].Split('/')[..2] switch
    {
        ["microsoft.alertsmanagement", _] => "2019-05-05-preview",
        ["microsoft.apimanagement", _] => "2024-05-01",
        ["microsoft.app", _] => "2025-01-01",
        ["microsoft.cdn", _] => "2025-04-15",
        ["microsoft.compute", _] => "2024-07-01",
        ["microsoft.network", "trafficmanagerprofiles"] => "2022-04-01",
        ["microsoft.network", "frontdoorwebapplicationfirewallpolicies"] => "2025-11-01",
        ["microsoft.network", _] => "2025-07-01",
        ["microsoft.web", _] => "2025-03-01",
        _ => "2024-10-01",
    };

    /// <summary>As somebody else does with <c>kubectl</c>.</summary>
    protected async Task PatchAsync(string path, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, path) { Content = new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/merge-patch+json")) };
        (await Http.SendAsync(request, Cancel)).EnsureSuccessStatusCode();
    }

    protected static string Resource(string type, string name) =>
        $"/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-assist/providers/{type}/{name}";

    protected Task<CheckResult> AskAsync(string check, object with)
    {
        var found = Services.GetRequiredService<StepCatalog>().FindCheck(check).ShouldNotBeNull();
        return found.AskAsync(Bind(with, found.ParametersType), Context(CheckTime), Cancel);
    }

    protected Task<Preparation> PrepareAsync(string action, object with, Preparation? interrupted = null)
    {
        var found = Action(action);
        return found.PrepareAsync(Bind(with, found.ParametersType), Context(interrupted), Cancel);
    }

    protected Task<string?> CheckPermissionsAsync(string action, object with)
    {
        var found = Action(action);
        return found.CheckPermissionsAsync(Bind(with, found.ParametersType), Context(), Cancel);
    }

    /// <summary>Every step that a test tries has the outputs that its action says it has, or none.</summary>
    protected async Task<ActionResult> ApplyAsync(string action, object with, Preparation preparation, Preparation? interrupted = null)
    {
        var found = Action(action);
        var result = await found.ApplyAsync(Bind(with, found.ParametersType), preparation, Context(interrupted), Cancel);
        if (result.Outputs.Count > 0)
        {
            result.Outputs.Keys.ShouldBe(found.Outputs.Select(output => output.Name), ignoreOrder: true);
        }

        return result;
    }

    /// <summary>Looks and acts, as a step does.</summary>
    protected async Task<ActionResult> RunAsync(string action, object with) => await ApplyAsync(action, with, await PrepareAsync(action, with));

    protected Task<ActionResult> UndoAsync(string action, Preparation preparation) =>
        Action(action).UndoAsync(preparation.UndoState!.Value, Context(), Cancel);

    protected IAction Action(string name) => Services.GetRequiredService<StepCatalog>().FindAction(name).ShouldNotBeNull();

    protected StepContext Context(TimeProvider time) => Context() with { Time = time };

    /// <summary>The same step of another incident, on the virtual clock.</summary>
    protected StepContext ContextOf(string incident) => Context(Clock) with { IncidentId = incident, IdempotencyKey = $"{incident}:mitigation:step" };

    /// <summary>Runs all of it at once; virtual time passes slowly enough for real requests to end in it.</summary>
    protected async Task<T[]> AtOnceAsync<T>(IEnumerable<Func<Task<T>>> work)
    {
        var all = Task.WhenAll(work.Select(one => Task.Run(one, Cancel)));
        while (await Task.WhenAny(all, Task.Delay(TimeSpan.FromMilliseconds(20), Cancel)) != all)
        {
            // The busier the machine, the slower the clock.
            await Http.GetStringAsync("/_sandbox/troubles", Cancel);
            Clock.Advance(TimeSpan.FromSeconds(1));
        }

        return await all;
    }

    private StepContext Context(Preparation? interrupted = null) => new()
    {
        IncidentId = "inc-1",
        RunbookId = "hanged-gpu",
        Target = "inference/llm-b-0",
        IdempotencyKey = "inc-1:mitigation:step",
        Interrupted = interrupted,
        Evidence = Evidence,
        Time = new SkippingTime(Clock),
    };

    protected static object Bind(object with, Type type)
    {
        var bound = ParameterBinder.Bind(JsonSerializer.SerializeToNode(with)!.AsObject(), type);
        bound.Errors.ShouldBeEmpty();
        return bound.Value!;
    }
}
