using Microsoft.Extensions.DependencyInjection;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;
using TestKit.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Execution;

/// <summary>An incident's world with a way in for alerts, in which a fix is watched for ten minutes after it was verified.</summary>
public abstract class SettleWorld : IAsyncDisposable
{
    private protected static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new(), Limits = new() { SettleFor = TimeSpan.FromMinutes(10) } };
    private protected readonly IncidentWorld _world;
    private protected readonly SafetyOptions _safety = new();
    private protected Runbook _loaded = s_runbook;

    private protected SettleWorld() => _world = new IncidentWorld(configure: services => services
        .AddSingleton<LoadedRunbooks>(() => [_loaded])
        .AddSingleton<Microsoft.Extensions.Options.IOptionsMonitor<SafetyOptions>>(new FixedOptions<SafetyOptions>(_safety))
        .AddIncidentIntake());

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected async Task<Incident> ResolvedAsync(Runbook? like = null)
    {
        var runbook = like ?? s_runbook;
        var opened = await _world.OpenAsync(runbook, Given.Incident(runbook) with { Team = "ml" });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var (closed, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        closed.State.ShouldBe(IncidentState.Resolved);
        return closed;
    }

    private protected async Task<IntakeOutcome> AlertAsync() =>
        (await _world.Get<IncidentIntake>().ReceiveAsync([Given.Alert()], CancellationToken.None)).ShouldHaveSingleItem();
}
