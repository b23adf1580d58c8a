using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Guardrails;

/// <summary>
/// Counts an incident's run against its runbook's limits. The count is taken in one atomic change just before the
/// first step acts, so that two incidents never share the last free place; what an incident has taken, it keeps.
/// </summary>
public sealed class RunLimits(ISharedState state, TimeProvider time)
{
    public const string Guardrail = "limits";

    /// <summary>What would be said if it ran now; uses nothing up.</summary>
    public async Task<Objection?> PeekAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        var (limits, now) = (runbook.Limits, time.GetUtcNow());
        var runs = Counts(limits) ? await state.FindAsync<RunHistory>(RunsKey(incident), cancellationToken) : null;
        var reach = limits.MaxTargets is null ? null : await state.FindAsync<BlastRadius>(ReachKey(incident), cancellationToken);
        return Object(limits, runs?.Exceeded(limits, incident.Id, now) ?? reach?.Exceeded(limits, incident.Target, now));
    }

    /// <param name="overruled">A person saw that the limit is exceeded and approved: it is counted all the same.</param>
    /// <returns>Null when the run is counted.</returns>
    public async Task<Objection?> ReserveAsync(Incident incident, Runbook runbook, bool overruled, CancellationToken cancellationToken)
    {
        // Later steps, and dry runs, are not another run.
        if (incident.Steps.Count > 0 || incident.Mode == RunMode.DryRun)
        {
            return null;
        }

        var (limits, now) = (runbook.Limits, time.GetUtcNow());
        if (Counts(limits) && await TakeRunAsync(incident, limits, overruled, now, cancellationToken) is { } tooOften)
        {
            return tooOften;
        }

        if (limits.MaxTargets is null || await TakeTargetAsync(incident, limits, overruled, now, cancellationToken) is not { } tooMany)
        {
            return null;
        }

        if (Counts(limits))
        {
            await state.UpdateAsync<RunHistory, bool>(RunsKey(incident), known => ((known ?? RunHistory.None).Without(incident.Id), true), cancellationToken);
        }

        return tooMany;
    }

    private async Task<Objection?> TakeRunAsync(Incident incident, Limits limits, bool overruled, DateTimeOffset now, CancellationToken cancellationToken) =>
        (await state.UpdateAsync<RunHistory, Objection?>(
            RunsKey(incident),
            known =>
            {
                var runs = known ?? RunHistory.None;
                var objection = overruled ? null : Object(limits, runs.Exceeded(limits, incident.Id, now));
                return (objection is null ? runs.With(limits, incident.Id, now) : runs, objection);
            },
            cancellationToken)).Result;

    private async Task<Objection?> TakeTargetAsync(Incident incident, Limits limits, bool overruled, DateTimeOffset now, CancellationToken cancellationToken) =>
        (await state.UpdateAsync<BlastRadius, Objection?>(
            ReachKey(incident),
            known =>
            {
                var reach = known ?? BlastRadius.None;
                var objection = overruled ? null : Object(limits, reach.Exceeded(limits, incident.Target, now));
                return (objection is null ? reach.With(limits, incident.Target, now) : reach, objection);
            },
            cancellationToken)).Result;

    private static bool Counts(Limits limits) => limits.MaxRuns is not null || limits.CoolDown > TimeSpan.Zero;

    private static Objection? Object(Limits limits, string? why) => why is null
        ? null
        : new(Guardrail, why, limits.WhenExceeded == WhenExceeded.Forbid ? ObjectionSeverity.Forbid : ObjectionSeverity.AskFirst);

    private static string RunsKey(Incident incident) => $"runs:{incident.RunbookId}:{incident.Target}";

    private static string ReachKey(Incident incident) => $"reach:{incident.RunbookId}";
}
