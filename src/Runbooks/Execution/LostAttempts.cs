namespace Runbooks.Execution;

/// <summary>
/// Attempts that have begun and that this process knows nothing more of. Where several processes share the hub, one whose lock was
/// lost may still be at work: it is not called cut off before its time is over, and what comes of it until then counts.
/// </summary>
public sealed class LostAttempts(IIncidentStore store, Func<IIncidentEngine?> engine, TimeProvider time)
{
    private static readonly TimeSpan s_nextLook = TimeSpan.FromSeconds(30);

    /// <returns>Null when nothing can be at work any more.</returns>
    public async Task<StepResult?> AwaitAsync(Incident incident, StepSpec spec, StepRecord known, CancellationToken cancellationToken)
    {
        var (began, now) = (known.AttemptedAt ?? known.StartedAt, time.GetUtcNow());
        var over = began + spec.Timeout + StepRunner.SlotGrace;
        if (engine() is { IsShared: false } || now >= over || Clocks.IsAhead(began, now))
        {
            return null;
        }

        await store.UpdateAsync(incident.Id, i => i.AwaitOutcome(known, over, now), cancellationToken);
        return new(StepOutcome.Held, "an attempt may still be at work.") { Until = over < now + s_nextLook ? over : now + s_nextLook };
    }
}
