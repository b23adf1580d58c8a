using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog.Steps;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Shouldly;
using TestKit.Engine;
using TestKit.People;
using TestKit.Storage;

namespace TestKit.Incidents;

/// <summary>The whole core on virtual time: real workflow, activities and rules; the store in memory; the real task hub; the outside scripted.</summary>
public sealed class IncidentWorld : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public IncidentWorld(WorldHubOptions? hub = null, Action<IServiceCollection>? configure = null)
    {
        Engine = new WorldHub(hub ?? new WorldHubOptions(), () => _services!, Time);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["LinkSigning:Keys:0:Id"] = "k1",
            ["LinkSigning:Keys:0:Secret"] = ApprovalOffice.LinkSecret("k1"),
        }).Build());
        services.AddLogging();
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton(Script);
        services.AddSingleton<ICheck, ScriptedCheck>();
        services.AddSingleton<IAction, ScriptedAction>(_ => new ScriptedAction(Script));
        services.AddSingleton<IAction, ScriptedUnrepeatable>();
        services.AddSingleton<IIncidentStore>(Store);
        services.AddSingleton<ISharedState>(State);
        services.AddSingleton<IEvidenceStore>(Evidence);
        services.AddSingleton<INotifier>(Notifier);
        services.AddSingleton(ContactBook.EveryoneOn(Notifier.Channel));
        services.AddSingleton<IIncidentEngine>(Engine);
        services.AddSingleton<LoadedRunbooks>(() => Loaded);
        services.AddRunbooks();
        configure?.Invoke(services);
        _services = services.BuildServiceProvider();
    }

    public FakeTimeProvider Time { get; } = new(Given.Night);

    public Script Script { get; } = new();

    /// <summary>What new incidents may open with.</summary>
    public IReadOnlyCollection<Runbook> Loaded { get; set; } = [];

    public InMemoryIncidentStore Store { get; } = new();

    public InMemorySharedState State { get; } = new();

    public InMemoryEvidenceStore Evidence { get; } = new();

    public RecordingNotifier Notifier { get; } = new();

    public WorldHub Engine { get; }

    public IServiceProvider Services => _services;

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Opens an incident and lets it run as far as it goes without anybody's help.</summary>
    public async Task<Incident> OpenAsync(Runbook runbook, Incident? incident = null)
    {
        var candidate = incident ?? Given.Incident(runbook);
        await Store.OpenAsync(candidate, runbook, _ => null, CancellationToken.None);
        await Engine.OpenAsync(IncidentInput.Of(candidate.Id, runbook));
        return await SettleAsync(candidate.Id);
    }

    public async Task<Incident> SettleAsync(string id)
    {
        await Engine.SettleAsync();
        return await Store.GetAsync(id, CancellationToken.None);
    }

    /// <summary>Lets time pass, timer by timer.</summary>
    public async Task<Incident> AdvanceAsync(string id, TimeSpan by)
    {
        await VirtualTime.AdvanceAsync(Time, by, () => Engine.NextTimer, Engine.SettleAsync);
        return await SettleAsync(id);
    }

    /// <summary>Records a decision on the open gate (a yes ticks a whole checklist), and wakes the engine unless told that the wake-up is lost.</summary>
    public async Task<(Incident Incident, DecisionResult Result)> DecideAsync(string id, DecisionVerb verb, string person = "alice", bool wake = true)
    {
        var open = (await Store.GetAsync(id, CancellationToken.None)).OpenGate;
        var decision = new Decision(verb, person, "api", Time.GetUtcNow()) { Items = open?.Task?.ItemsLeft };
        var (incident, result) = await Store.UpdateAsync(id, i => i.Decide(open?.Id ?? "mitigation-1", decision), CancellationToken.None);
        if (wake && incident.WakeEvent is { } name)
        {
            await Engine.RaiseAsync(id, name);
        }

        return (await SettleAsync(id), result);
    }

    /// <summary>The sender says that the alert is over.</summary>
    public async Task<Incident> ResolveAlertAsync(string id)
    {
        var incident = await Store.UpdateAsync(id, i => i.Attach(Given.Alert() with { Status = AlertStatus.Resolved }, Time.GetUtcNow()), CancellationToken.None);
        await Engine.RaiseAsync(id, incident.WakeEvent ?? "");
        return await SettleAsync(id);
    }

    public async Task<Incident> StopAsync(string id, string reason = "wrong alarm")
    {
        var incident = await Store.UpdateAsync(id, i => i with { Stop = new StopRequest("alice", reason, Time.GetUtcNow()) }, CancellationToken.None);
        await Engine.RaiseAsync(id, incident.WakeEvent ?? "");
        return await SettleAsync(id);
    }

    /// <summary>The one place that the action has is taken.</summary>
    public async Task OthersActForAsync(TimeSpan time)
    {
        Get<IOptionsMonitor<SafetyOptions>>().CurrentValue.MaxConcurrent["script.act"] = 1;
        (await Get<ActionConcurrencyLimiter>().TakeAsync("script.act", "somebody-else", time, CancellationToken.None)).ShouldBeTrue();
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await _services.DisposeAsync();
    }
}
