namespace Runbooks.Approvals;

/// <summary>
/// What keeps an open question from being carried out right now, whoever says yes: the kill switch, an open breaker, a
/// maintenance window, a limit that forbids. Shown with the question, and asked once more when somebody approves.
/// </summary>
public sealed class ClosedGuards(GuardrailEvaluator guardrails, PinnedRunbooks pinned)
{
    private const int MaxConcurrency = 8;

    /// <summary>
    /// Of the open questions of many incidents of one runbook. Only limits count targets apart, what has acted may finish, and a team
    /// may do what one version does and not what another does: all others have the same answer, and it is asked for once.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<string>>> FindManyAsync(IReadOnlyList<Incident> incidents, CancellationToken cancellationToken)
    {
        var apart = incidents.Count > 0 && (await pinned.OfAsync(incidents[0], cancellationToken)).Limits.WhenExceeded == WhenExceeded.Forbid;
        var alike = incidents.GroupBy(incident => (incident.RunbookHash, incident.OpenGate?.Phase, ByHand: incident.OpenGate?.Task is not null, incident.Mode, incident.HasActed, Id: apart ? incident.Id : null));
        var found = new ConcurrentDictionary<string, IReadOnlyList<string>>();
        var limits = new ParallelOptions { MaxDegreeOfParallelism = MaxConcurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(alike, limits, async (group, token) =>
        {
            var shared = await FindAsync(group.First(), group.First().OpenGate, token);
            foreach (var incident in group)
            {
                found[incident.Id] = shared;
            }
        });
        return found;
    }

    /// <returns>Each in words; empty when nothing stands against it, or when the question is not open.</returns>
    public async Task<IReadOnlyList<string>> FindAsync(Incident incident, Gate? gate, CancellationToken cancellationToken) =>
        [.. (await FindViolationsAsync(incident, gate, cancellationToken)).Select(violation => violation.Why)];

    /// <returns>All of it as one; null when nothing stands against it, or when the question is not open.</returns>
    public async Task<HeldBackBy?> FindAllAsync(Incident incident, Gate? gate, CancellationToken cancellationToken) =>
        await FindViolationsAsync(incident, gate, cancellationToken) is { Count: > 0 } violations
            ? new(string.Join(" ", violations.Select(one => EndingText.Sentence(one.Why))), violations.Max(one => one.Until))
            : null;

    private async Task<IReadOnlyList<GuardrailViolation>> FindViolationsAsync(Incident incident, Gate? gate, CancellationToken cancellationToken)
    {
        // What a person says they have done by hand is done.
        if (gate is not { Outcome: GateOutcome.Pending, Task: null } || incident.State.IsFinal())
        {
            return [];
        }

        // As if the step came next: then a window only answers, and does not take the incident up at its end.
        var context = new GuardrailContext(incident, await pinned.OfAsync(incident, cancellationToken), gate.Phase, AboutToRun: true, gate);
        return [.. (await guardrails.EvaluateAsync(context, cancellationToken)).Where(violation => violation.Severity > GuardrailSeverity.AskFirst && violation.Concerns(gate.Plan))];
    }
}
