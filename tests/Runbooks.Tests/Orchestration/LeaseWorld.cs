using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>An incident's world in which a temporary fix can be held.</summary>
public abstract class LeaseWorld : IAsyncDisposable
{
    private protected static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new() };
    private protected readonly IncidentWorld _world = new();

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected async Task<Incident> HoldAsync()
    {
        var lease = new Hold(["full"], TimeSpan.FromMinutes(5), TimeSpan.FromHours(2), TimeSpan.FromSeconds(30));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        return (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident;
    }
}
