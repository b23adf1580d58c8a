using System.Collections.Concurrent;
using Runbooks.Engine;

namespace TestKit.Engine;

/// <summary>Runs nothing; remembers what it was asked, and can be made to fail.</summary>
public sealed class RecordingEngine(TimeProvider time) : IIncidentEngine
{
    private readonly ConcurrentDictionary<string, EngineInstance> _instances = new(StringComparer.Ordinal);
    private int _healthChecks;

    /// <summary>Each distinct start, in order; a repeated one is not listed again.</summary>
    public ConcurrentQueue<IncidentInput> Started { get; } = new();

    public ConcurrentQueue<(string Incident, string Event)> Woken { get; } = new();

    /// <summary>Looks at the moment of each start.</summary>
    public Action? BeforeStart { get; set; }

    public Func<Exception>? StartFault { get; set; }

    public Func<Exception>? WakeFault { get; set; }

    public string? Illness { get; set; }

    /// <summary>What its answer about that waits for.</summary>
    public Task BeforeHealth { get; set; } = Task.CompletedTask;

    /// <summary>How often it was asked whether it is well.</summary>
    public int HealthChecks => Volatile.Read(ref _healthChecks);

    public Task StartAsync(IncidentInput input, CancellationToken cancellationToken)
    {
        BeforeStart?.Invoke();
        if (StartFault is { } fault)
        {
            throw fault();
        }

        if (_instances.TryAdd(input.IncidentId, new EngineInstance(input.IncidentId, EngineStatus.Running, time.GetUtcNow())))
        {
            Started.Enqueue(input);
        }

        return Task.CompletedTask;
    }

    public Task WakeAsync(string incidentId, string eventName, CancellationToken cancellationToken)
    {
        if (WakeFault is { } fault)
        {
            throw fault();
        }

        Woken.Enqueue((incidentId, eventName));
        return Task.CompletedTask;
    }

    public Task<EngineInstance?> FindAsync(string incidentId, CancellationToken cancellationToken) =>
        Task.FromResult(_instances.GetValueOrDefault(incidentId));

    /// <summary>What it says about an instance from now on.</summary>
    public void Report(EngineInstance instance) => _instances[instance.Id] = instance;

    public ConcurrentQueue<string> Forgotten { get; } = new();

    public Task ForgetAsync(string incidentId, CancellationToken cancellationToken)
    {
        Forgotten.Enqueue(incidentId);
        return Task.CompletedTask;
    }

    public async Task<string?> CheckHealthAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _healthChecks);
        await BeforeHealth;
        return Illness;
    }
}
