using Runbooks.Engine;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Watchdog;

/// <summary>What the watch makes of an open incident. Pure: the record, the engine's view, the time.</summary>
internal static class WatchRules
{
    public static IEnumerable<Worry> Judge(Incident incident, Runbook runbook, EngineInstance? instance, WatchOptions options, DateTimeOffset now)
    {
        Worry?[] worries = Engine(incident, instance, options, now) is { } engine
            ? [engine]
            : [Unheard(incident, options, now), Stuck(incident, runbook, options, now), Unwoken(incident, options, now)];
        return worries.OfType<Worry>();
    }

    private static Worry? Engine(Incident incident, EngineInstance? instance, WatchOptions options, DateTimeOffset now) => instance switch
    {
        null => now - incident.OpenedAt > options.Grace
            ? new(Remedy.Start, "lost", "The engine did not know this incident; it was started again.")
            : null,
        { Status: EngineStatus.Failed } => new(Remedy.Bury, "engine", $"The automation broke: {instance.Failure ?? "the engine gives no reason"}."),
        { Status: EngineStatus.Terminated } => new(Remedy.Bury, "engine", "The automation was terminated from outside."),

        // The last activity closes the record; give its write the time to be seen.
        { Status: EngineStatus.Completed } when now - instance.UpdatedAt > options.Grace => new(Remedy.Bury, "engine", "The automation ended without closing the incident."),
        _ => null,
    };

    private static Worry? Unheard(Incident incident, WatchOptions options, DateTimeOffset now) =>
        incident.OpenGate is { } gate
        && now - gate.OpenedAt > options.Grace
        && !incident.Deliveries.Any(delivery => delivery.Reached && delivery.Key.StartsWith($"{gate.Id}:", StringComparison.Ordinal))
            ? new(Remedy.Page, $"unheard-{gate.Id}", $"Nobody was reached with the question: {gate.Question}")
            : null;

    private static Worry? Stuck(Incident incident, Runbook runbook, WatchOptions options, DateTimeOffset now)
    {
        var (since, due) = Progress.Of(incident, runbook);
        return now - due > options.StuckAfter
            ? new(Remedy.Page, $"stuck-{since.ToUnixTimeSeconds()}", $"No progress since {since:HH:mm} UTC. It stands at: {IncidentWords.Of(incident.State)}.")
            : null;
    }

    /// <summary>Something is on record that the workflow should have acted on by now.</summary>
    private static Worry? Unwoken(Incident incident, WatchOptions options, DateTimeOffset now) =>
        Progress.Unread(incident) is { } recordedAt && now - recordedAt > options.Grace
            ? new(Remedy.Wake, "wake", "What was recorded has not been acted on yet.")
            : null;
}
