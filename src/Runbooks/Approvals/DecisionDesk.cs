using Microsoft.Extensions.Logging;
using Runbooks.Engine;
using Runbooks.Incidents;
using Runbooks.Storage;

namespace Runbooks.Approvals;

/// <summary>
/// Takes people's decisions, whichever way they come: first the record, then the wake-up. Only what is on record counts.
/// </summary>
public sealed class DecisionDesk(IIncidentStore store, IIncidentEngine engine, TimeProvider time, ILogger<DecisionDesk> logger)
{
    /// <param name="gateId">Null: the question that is open now.</param>
    public async Task<DecisionReceipt> DecideAsync(string incidentId, string? gateId, Ballot ballot, CancellationToken cancellationToken)
    {
        try
        {
            var (incident, result) = await store.UpdateAsync(incidentId, current => Decide(current, gateId, ballot), cancellationToken);
            if (result.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded)
            {
                Log.Decided(logger, incidentId, ballot.Verb, ballot.Person, ballot.Via);
                await engine.TryWakeAsync(incident, logger);
            }
            else
            {
                Log.DecisionRefused(logger, incidentId, ballot.Person, ballot.Via, result.Message);
            }

            return new(incident, result);
        }
        catch (KeyNotFoundException)
        {
            return new(null, new(DecisionStatus.NotFound, $"There is no incident '{incidentId}'."));
        }
    }

    /// <summary>Stops the automation. An incident that has ended is not changed.</summary>
    public async Task<DecisionReceipt> StopAsync(string incidentId, string by, string reason, CancellationToken cancellationToken)
    {
        try
        {
            var (incident, result) = await store.UpdateAsync(incidentId, current => Stop(current, by, reason), cancellationToken);
            await engine.TryWakeAsync(incident, logger);
            return new(incident, result);
        }
        catch (KeyNotFoundException)
        {
            return new(null, new(DecisionStatus.NotFound, $"There is no incident '{incidentId}'."));
        }
    }

    private (Incident, DecisionResult) Decide(Incident incident, string? gateId, Ballot ballot)
    {
        var gate = gateId ?? (incident.OpenGate ?? incident.LatestGate)?.Id;
        if (gate is not null)
        {
            return incident.Decide(gate, new Decision(ballot.Verb, ballot.Person, ballot.Via, time.GetUtcNow(), ballot.Reason, ballot.PlanHash));
        }

        return (incident, incident.State.IsFinal()
            ? new(DecisionStatus.AlreadyClosed, GateWords.HowItEnded(incident))
            : new(DecisionStatus.NotFound, $"Incident {incident.Id} asks nothing at the moment."));
    }

    private (Incident, DecisionResult) Stop(Incident incident, string by, string reason)
    {
        if (incident.State.IsFinal())
        {
            return (incident, new(DecisionStatus.AlreadyClosed, GateWords.HowItEnded(incident)));
        }

        return incident.Stop is { } earlier
            ? (incident, new(DecisionStatus.AlreadyCounted, $"{earlier.By} asked for this at {GateWords.Clock(earlier.At)} already; it stops before the next step."))
            : (incident.RequestStop(new StopRequest(by, reason, time.GetUtcNow())), new(DecisionStatus.Decided, "It stops before the next step."));
    }
}

/// <summary>A decision before it is recorded.</summary>
/// <param name="Person">As proven by the way it came.</param>
/// <param name="PlanHash">The plan that the person was shown; null where the way it came shows none.</param>
public sealed record Ballot(Verb Verb, string Person, string Via, string? Reason = null, string? PlanHash = null);

/// <param name="Incident">As it is now; null when there is none.</param>
public sealed record DecisionReceipt(Incident? Incident, DecisionResult Result);
