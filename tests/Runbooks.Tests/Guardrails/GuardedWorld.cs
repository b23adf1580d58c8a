using Microsoft.Extensions.DependencyInjection;
using Runbooks.Approvals;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using TestKit.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>A runbook that asks and one that heals by itself, in a system with guardrails that a test may set.</summary>
public abstract class GuardedWorld : IAsyncDisposable
{
    /// <summary>Why the kill switch was engaged.</summary>
    private protected const string Trouble = "it restarts the wrong pods";

    private protected static readonly Runbook s_asks = Given.Runbook() with { Resolution = new() };
    private protected static readonly Runbook s_heals = s_asks with { Mitigation = s_asks.Mitigation with { Approval = null } };
    private protected readonly SafetyOptions _options = new();
    private protected readonly IncidentWorld _world;
    private int _opened;

    protected GuardedWorld()
    {
        _world = new IncidentWorld(configure: services => services.AddSingleton<Microsoft.Extensions.Options.IOptionsMonitor<SafetyOptions>>(new FixedOptions<SafetyOptions>(_options)));
        Works();
    }

    private protected async Task<DecisionReceipt> ApproveAsync(string id) => await _world.Get<ApprovalService>()
        .DecideAsync(id, (await _world.Store.GetAsync(id, CancellationToken.None)).LatestGate?.Id, new DecisionRequest(DecisionVerb.Approve, "alice", "api"), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _world.DisposeAsync();
    }

    private protected Task EngageKillSwitchAsync() => _world.Get<KillSwitch>().EngageAsync("ada", Trouble, CancellationToken.None);

    private protected Task ReleaseKillSwitchAsync() => _world.Get<KillSwitch>().ReleaseAsync("ada", "it was another team", stop: null, CancellationToken.None);

    private protected Task<Incident> OpenAsync(Runbook runbook, string target = "inference/llm-b-0", Func<Incident, Incident>? change = null)
    {
        var now = _world.Time.GetUtcNow();
        return _world.OpenAsync(runbook, (change ?? (incident => incident))(Given.Incident(runbook, $"i-{++_opened}") with { Target = target, OpenedAt = now, UpdatedAt = now, Mode = RunModes.Stricter(runbook.Mode, _options.Mode) }));
    }

    private protected void Breaks()
    {
        _world.Script.Verdicts["stuck"] = Verdict.Failing;
        Works();
    }

    private protected void Works() => _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
}
