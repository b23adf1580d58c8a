using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Engine.Replay;
using Runbooks.Incidents;

namespace TestKit.Engine;

/// <summary>
/// Runs workflows in memory on whatever clock it is given. Starting and waking return once the workflow waits again;
/// <see cref="SettleAsync"/> waits for activities.
/// </summary>
public sealed class InMemoryEngine(
    WorkflowTable workflows, ActivityTable activities, TimeProvider time, ILoggerFactory loggers, InMemoryOptions? options = null) : IIncidentEngine
{
    private readonly ConcurrentDictionary<string, InMemoryInstance> _instances = new(StringComparer.Ordinal);
    private readonly Queue<(InMemoryInstance Instance, HistoryEvent Happened, int Life)> _news = [];
    private readonly Lock _gate = new();
    private readonly InMemoryOptions _options = options ?? new InMemoryOptions();
    private TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _activities;
    private bool _draining;

    public void Start<TIn>(string workflow, string id, TIn input)
    {
        var instance = new InMemoryInstance(id);
        if (_instances.TryAdd(id, instance))
        {
            Happen(instance, new HistoryEvent(HistoryKind.ExecutionStarted, default, Name: workflow, Data: DurableJson.Write(input)), 0);
        }
    }

    public void Raise(string id, string name)
    {
        if (_instances.TryGetValue(id, out var instance))
        {
            Happen(instance, new HistoryEvent(HistoryKind.EventRaised, default, Name: name), null);
        }
    }

    public Task<EngineEnd> WaitForEndAsync(string id) => _instances[id].End.Task;

    public IReadOnlyList<HistoryEvent> History(string id) => _instances[id].History;

    public string? CustomStatus(string id) => _instances[id].Run.CustomStatus;

    /// <summary>When the next timer is due; null when none is pending.</summary>
    public DateTimeOffset? NextTimer => _instances.Values
        .Where(instance => !instance.IsOver)
        .SelectMany(instance => instance.Run.Open)
        .Where(call => call.Kind == HistoryKind.TimerCreated)
        .Select(call => (DateTimeOffset?)call.Due)
        .Min();

    /// <summary>Waits until no activity runs.</summary>
    /// <exception cref="TimeoutException">An activity does not end: it may wait for the clock to be advanced.</exception>
    public Task SettleAsync()
    {
        lock (_gate)
        {
            return _activities == 0 && !_draining ? Task.CompletedTask : _idle.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    /// <summary>Forgets everything but the histories, as a killed process would, and goes on from there.</summary>
    public void Crash()
    {
        foreach (var instance in _instances.Values.Where(instance => !instance.IsOver))
        {
            Revive(instance);
            Settle(instance);
        }
    }

    Task IIncidentEngine.StartAsync(IncidentInput input, CancellationToken cancellationToken)
    {
        Start(IncidentWorkflow.Name, input.IncidentId, input);
        return Task.CompletedTask;
    }

    Task IIncidentEngine.WakeAsync(string incidentId, string eventName, CancellationToken cancellationToken)
    {
        Raise(incidentId, eventName);
        return Task.CompletedTask;
    }

    public Task<EngineInstance?> FindAsync(string incidentId, CancellationToken cancellationToken) =>
        Task.FromResult(_instances.TryGetValue(incidentId, out var found) ? Describe(found) : null);

    public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    private static EngineInstance Describe(InMemoryInstance instance)
    {
        var end = instance.IsOver ? instance.End.Task.Result : null;
        return new EngineInstance(
            instance.Id, end?.Status ?? EngineStatus.Running, instance.Run.UtcNow, end?.Status == EngineStatus.Failed ? end.Text : null);
    }

    // One event at a time, in the order they came in, whichever thread brings them.
    private void Happen(InMemoryInstance instance, HistoryEvent happened, int? life)
    {
        lock (_gate)
        {
            _news.Enqueue((instance, happened, life ?? instance.Life));
            if (_draining)
            {
                return;
            }

            _draining = true;
        }

        while (TryNext(out var next))
        {
            if (!next.Instance.IsOver && next.Life == next.Instance.Life)
            {
                Take(next.Instance, next.Happened with { At = time.GetUtcNow() });
            }
        }
    }

    private bool TryNext(out (InMemoryInstance Instance, HistoryEvent Happened, int Life) next)
    {
        lock (_gate)
        {
            _draining = _news.TryDequeue(out next);
            SignalWhenIdle();
            return _draining;
        }
    }

    private void SignalWhenIdle()
    {
        if (_activities == 0 && !_draining)
        {
            _idle.SetResult();
            _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private void Take(InMemoryInstance instance, HistoryEvent happened)
    {
        var started = happened.Kind == HistoryKind.ExecutionStarted;
        if (happened.Task >= 0 && !instance.Run.IsOpen(happened.Task))
        {
            return;
        }

        instance.History.Add(happened);
        if (_options.CrashAfter?.Invoke(instance.Id, happened) == true)
        {
            Revive(instance);
        }
        else
        {
            if (started || _options.ReplayEveryStep)
            {
                instance.Run = NewRun(instance);
                instance.Run.Replay(instance.History[..^1]);
            }

            instance.Run.Deliver(happened);
        }

        Settle(instance);
    }

    private void Revive(InMemoryInstance instance)
    {
        instance.Life++;
        instance.Started.Clear();
        instance.StopTimers();
        instance.Run = NewRun(instance);
        instance.Run.Replay(instance.History);
    }

    private WorkflowRun NewRun(InMemoryInstance instance)
    {
        var name = instance.History[0].Name!;
        return workflows.TryFind(name, out var entry)
            ? new WorkflowRun(instance.Id, entry, loggers.CreateLogger(name), () => { })
            : throw new InvalidOperationException($"No workflow is called '{name}'.");
    }

    private void Settle(InMemoryInstance instance)
    {
        var run = instance.Run;
        if (!run.IsFaulted)
        {
            instance.History.AddRange(run.Unrecorded);
            run.MarkRecorded(run.Unrecorded.Count);
        }

        if (run.Outcome is { } outcome)
        {
            var kind = outcome.Succeeded ? HistoryKind.ExecutionCompleted : HistoryKind.ExecutionFailed;
            instance.History.Add(new HistoryEvent(kind, time.GetUtcNow(), Data: outcome.Text));
            instance.StopTimers();
            instance.End.SetResult(new EngineEnd(outcome.Succeeded ? EngineStatus.Completed : EngineStatus.Failed, outcome.Text));
            return;
        }

        foreach (var command in run.Open.Where(command => instance.Started.Add(command.Task)).ToList())
        {
            if (command.Kind == HistoryKind.TaskScheduled)
            {
                _ = RunActivityAsync(instance, command, instance.Life);
            }
            else if (command.Due < DateTimeOffset.MaxValue)
            {
                StartTimer(instance, command);
            }
        }
    }

    private void StartTimer(InMemoryInstance instance, HistoryEvent command)
    {
        var life = instance.Life;
        var wait = command.Due - time.GetUtcNow();
        instance.Timers[command.Task] = time.CreateTimer(
            _ => Happen(instance, new HistoryEvent(HistoryKind.TimerFired, default, command.Task), life),
            null,
            wait > TimeSpan.Zero ? wait : TimeSpan.Zero,
            Timeout.InfiniteTimeSpan);
    }

    private async Task RunActivityAsync(InMemoryInstance instance, HistoryEvent command, int life)
    {
        lock (_gate)
        {
            _activities++;
        }

        var result = await ActivityCall.RunAsync(activities, command, _options.Around);
        Happen(instance, result, life);
        lock (_gate)
        {
            _activities--;
            SignalWhenIdle();
        }
    }
}
