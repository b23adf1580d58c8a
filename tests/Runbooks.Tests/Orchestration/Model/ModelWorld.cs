using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Watchdog;
using TestKit.Incidents;
using TestKit.Storage;

namespace Runbooks.Tests.Orchestration.Model;

/// <summary>Plays one case, and looks at every deed at the moment it is done.</summary>
internal sealed class ModelWorld : IAsyncDisposable
{
    private const string Id = "i-1";
    private readonly Case _case;
    private readonly FaultPlan _faults;
    private readonly IncidentWorld _world;
    private int _writesToKill;

    public ModelWorld(Case @case)
    {
        _case = @case;
        _faults = new FaultPlan(@case.Seed, @case.Faults);
        _world = new IncidentWorld(
            new WorldHubOptions { ReplayEveryTurn = @case.Seed % 8 == 0, OneAtATime = true, KillAt = IsKillDue, Around = AroundAsync },
            services => services.AddWatchdog().AddSingleton<IIncidentStore>(new FlakyIncidentStore(
                (IIncidentStore)services.Last(service => service.ServiceType == typeof(IIncidentStore)).ImplementationInstance!, StoreFault)));
        _world.Notifier.Failure = _ => _faults.Strikes("channel") ? new IOException("channel down") : null;
        _world.Script.BeforeActing = name => { Look($"do {name}"); return _faults.Strikes("before acting") ? new IOException("refused") : null; };
        _world.Script.AfterActing = _ => _faults.Strikes("after acting") ? new IOException("answer lost") : null;
        _world.Script.BeforeUndoing = name => { Look($"undo {name}"); return _faults.Strikes("before undoing") ? new IOException("refused") : null; };
        _world.Script.OnDone = _ => Change();
    }

    /// <summary>What must never be, and was.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();

    /// <summary>All that a run leaves behind: what was asked and done, in order, and the incident's record.</summary>
    public string Trace => string.Join(
        '\n', [.. _world.Script.Asked, .. _world.Script.Deeds, .. _world.Store.All.Single().Timeline.Select(entry => $"{entry.At:O} {entry.Kind} {entry.Who}: {entry.What}")]);

    /// <returns>What the checks were asked for on the way, and how it ended.</returns>
    public async Task<string> PlayAsync()
    {
        await _world.OpenAsync(_case.Runbook(), Given.Incident(_case.Runbook(), Id) with
        {
            EarlierNo = _case.EarlierNo ? new("i-0", "ada", "rejected", Given.Night, "Leave it.") : null,
        });
        foreach (var happening in _case.Happenings)
        {
            await _world.AdvanceAsync(Id, happening.After);
            MaybeKill("happening", writes: 4);
            await HappenAsync(happening);
            await _world.SettleAsync(Id);
        }

        await _world.AdvanceAsync(Id, TimeSpan.FromHours(3));
        _faults.IsOver = true;
        _writesToKill = 0;
        await _world.Get<KillSwitch>().ReleaseAsync("ada", "over", stop: null, CancellationToken.None);
        _world.Script.Verdicts["full"] = _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.AdvanceAsync(Id, TimeSpan.FromHours(6));

        // An end that no activity could record or tell is what the watch is for.
        await _world.Get<IncidentWatchdog>().CheckAsync(CancellationToken.None);
        var ended = await _world.SettleAsync(Id);
        await JudgeAsync(ended);
        return string.Join(", ", ended.VerificationRounds.Select(round => round.State).Distinct().Append(ended.State));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    /// <summary>What a step changes: every second one helps, and some leave the next one another target than was approved.</summary>
    private void Change()
    {
        if (_case.Seed % 16 < 8)
        {
            _world.Script.Verdicts["stuck"] = Verdict.Passing;
        }

        if (_case.Seed / 16 % 4 == 0)
        {
            _world.Script.Identities["act2"] = _world.Script.Identities["once1"] = "another";
        }
    }

    private async Task HappenAsync(Happening happening)
    {
        var person = new[] { "alice", "bob", "carol", "alice" }[happening.Which];
        switch (happening.Kind)
        {
            case Kind.Approve or Kind.Reject or Kind.TakeOver:
                var verb = happening.Kind switch { Kind.Approve => DecisionVerb.Approve, Kind.Reject => DecisionVerb.Reject, _ => DecisionVerb.TakeOver };
                await _world.DecideAsync(Id, verb, person, wake: happening.Which != 3);
                break;
            case Kind.StaleApproval:
                await _world.Store.UpdateAsync(Id, i => i.Decide(i.LatestGate?.Id ?? "mitigation-1", new(DecisionVerb.Approve, person, "link", _world.Time.GetUtcNow(), PlanHash: "of yesterday")), CancellationToken.None);
                break;
            case Kind.ResolveAlert:
                await _world.ResolveAlertAsync(Id);
                break;
            case Kind.AlertAgain:
                await _world.Store.UpdateAsync(Id, i => i.Attach(Given.Alert(), _world.Time.GetUtcNow()), CancellationToken.None);
                break;
            case Kind.Stop:
                var stopped = await _world.Store.UpdateAsync(Id, i => i.RequestStop(new(person, "enough", _world.Time.GetUtcNow(), TakesBack: happening.Which == 2)), CancellationToken.None);
                await _world.Engine.RaiseAsync(Id, stopped.WakeEvent ?? "");
                break;
            case Kind.BareEvent:
                await _world.Engine.RaiseAsync(Id, (await _world.Store.GetAsync(Id, CancellationToken.None)).WakeEvent ?? "wake-1");
                break;
            case Kind.EngineCrash:
                await _world.Engine.CrashAsync();
                break;
            case Kind.CheckPasses or Kind.CheckFails or Kind.CheckUnknown:
                _world.Script.Verdicts[happening.Which % 2 == 0 ? "stuck" : "full"] = happening.Kind switch { Kind.CheckPasses => Verdict.Passing, Kind.CheckFails => Verdict.Failing, _ => Verdict.Unknown };
                break;
            case Kind.OtherTarget:
                _world.Script.Identities[$"act{happening.Which}"] = _world.Script.Identities[$"once{happening.Which}"] = $"another at {_world.Time.GetUtcNow():O}";
                break;
            case Kind.KillSwitchOn:
                await _world.Get<KillSwitch>().EngageAsync(person, "hands off", CancellationToken.None);
                break;
            default:
                await _world.Get<KillSwitch>().ReleaseAsync(person, "go on", stop: null, CancellationToken.None);
                break;
        }
    }

    /// <summary>At the moment of a deed: is everything on record that has to be?</summary>
    private void Look(string deed)
    {
        var incident = _world.Store.All.Single();
        var name = deed.Split(' ')[1];
        var step = incident.Steps.FirstOrDefault(s => s.Name == name);
        Must(step is not null, $"{deed}: no intent on record");
        Must(_case.Mode != RunMode.DryRun, $"{deed}: in a dry run");
        Must(_world.Get<KillSwitch>().ReadAsync(CancellationToken.None).GetAwaiter().GetResult() is { Engaged: false }, $"{deed}: the kill switch is on");
        Must(!incident.State.IsFinal(), $"{deed}: the incident has ended as {incident.State}");
        if (step is null || deed.StartsWith("undo", StringComparison.Ordinal))
        {
            Must(!name.StartsWith("once", StringComparison.Ordinal), $"{deed}: cannot be undone");
            return;
        }

        Must(_world.Script.Count($"undo {name}") == 0, $"{deed}: after it was undone");
        Must(incident.FindGate(step.GateId) is { Outcome: GateOutcome.Approved } gate && MayRun(gate, step), $"{deed}: nobody allowed it ({step.GateId})");
        Must(!name.StartsWith("once", StringComparison.Ordinal) || _world.Script.Count(deed) == 0, $"{deed}: a second time");
    }

    private bool MayRun(Gate gate, StepRecord step)
    {
        var people = gate.Decisions.Where(d => d.Verb == DecisionVerb.Approve).Select(d => d.Person).Distinct().Count();
        var planned = gate.Plan.Steps.Any(s => s.Name == step.Name) || step.Attempts > 1;
        var unopposed = gate.Warnings.Count == 0 && gate.Difference is null && _case.Mode != RunMode.ApproveAll;
        var byItself = unopposed && _case.SelfHealing && gate.Phase == Phase.Mitigation;
        var takenBack = gate.Plan.Steps.All(s => s.TellsOnly || (s.Phase == Phase.Mitigation && s.Name.StartsWith("act", StringComparison.Ordinal)));
        var bySilence = unopposed && takenBack && gate is { OnTimeout: OnTimeout.ProceedIfReversible, Required: 1, Decisions.Count: 0 };
        return planned && (people >= gate.Required || byItself || bySilence);
    }

    private async Task JudgeAsync(Incident incident)
    {
        var words = $"{incident.State}: {incident.Reason}";
        Must(incident.State.IsFinal() || incident.Deliveries.Any(d => d.Reached), $"neither ended nor anybody asked; {words}");
        Must(incident.State.IsFinal(), $"still open; {words}");
        Must(incident.State is not (IncidentState.Failed or IncidentState.Expired) || incident.Deliveries.Any(d => d.Reached), $"nobody was paged; {words}");
        Must(await _world.Engine.FindAsync(Id, CancellationToken.None) is { Status: EngineStatus.Completed } || incident.State == IncidentState.Failed, $"the workflow broke; {words}");
        Must(incident is not { Stop: { } stop, State: IncidentState.Resolved, UndoBeganAt: null } || (!stop.TakesBack && incident.Steps.Any(s => s.Phase == Phase.Resolution)), $"stopped, and nobody heeded it; {words}");
        Must(incident.State != IncidentState.Resolved || _case.Mode == RunMode.DryRun || IsVerified(incident), $"resolved, and nobody saw that it helped; {words}");
        Must(incident.State != IncidentState.Resolved || !_case.Lease || !incident.Steps.Any(IsLeft), $"resolved, and what was to be taken back is in place; {words}");
        Must(incident.State != IncidentState.TakenOver || _case.Lease || !incident.Steps.Any(s => s.UndoneFrom is not null), $"undone under the hands of whoever took over; {words}");
        Must(Incident.FindBreak(Id, incident.Timeline) is null, "the timeline is broken");
        Must(incident.Steps.All(s => s.FinishedAt is not null), $"a step has no outcome; {words}");
        foreach (var step in incident.Steps.Where(IsLeft))
        {
            Must(incident.State is IncidentState.Resolved or IncidentState.TakenOver or IncidentState.Failed || incident.Reason!.Contains("but the resolution did not ", StringComparison.Ordinal), $"{step.Name} is left in place; {words}");
        }
    }

    /// <summary>A step that can be undone, and was not.</summary>
    private static bool IsLeft(StepRecord step) => step is { Phase: Phase.Mitigation, Status: StepStatus.Done } && step.Name.StartsWith("act", StringComparison.Ordinal);

    private static bool IsVerified(Incident incident) =>
        incident.VerificationRounds.LastOrDefault(round => round.State == IncidentState.Verifying)?.Verdicts.Values.All(verdict => verdict == Verdict.Passing) == true;

    private void Must(bool holds, string otherwise)
    {
        if (!holds)
        {
            Violations.Enqueue(otherwise);
        }
    }

    /// <summary>An activity may run once, twice one after the other, twice at once, or be cut off and delivered again.</summary>
    private async Task<object?> AroundAsync(string name, Func<Task<object?>> work)
    {
        _faults.Enter(name);
        var how = _faults.Strikes("activity") ? _faults.Draw("how", 4) : 0;

        MaybeKill("turn", writes: 2);

        switch (how)
        {
            case 1:
                await work();
                return await work();
            case 2:
                var both = await Task.WhenAll(work(), work());
                return both[_faults.Draw("answer", 2)];
            case 3:
                await work();
                throw new IOException("the answer got lost");
            default:
                return await work();
        }
    }

    /// <summary>The hub may be killed at one of the next writes: there are two places at each commit, before it and after it.</summary>
    private void MaybeKill(string place, int writes)
    {
        if (_faults.Strikes(place))
        {
            _writesToKill = 1 + _faults.Draw("write", writes);
        }
    }

    private bool IsKillDue() => _writesToKill > 0 && --_writesToKill == 0;

    /// <summary>After the third in a row the recording of an outcome waits, and the clock here goes on only once nobody works.</summary>
    private FlakyIncidentStore.Fault StoreFault() =>
        _faults.Strikes("store", mostInARow: 2) ? (FlakyIncidentStore.Fault)(1 + _faults.Draw("which", 2)) : FlakyIncidentStore.Fault.None;
}
