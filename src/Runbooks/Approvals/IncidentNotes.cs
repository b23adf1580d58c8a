using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Approvals;

/// <summary>What people write into an incident's record, for whoever reads it next.</summary>
public sealed class IncidentNotes(IIncidentStore store, TimeProvider time)
{
    public async Task<DecisionReceipt> AddAsync(string incidentId, string by, string text, CancellationToken cancellationToken)
    {
        try
        {
            var (incident, result) = await store.UpdateAsync(incidentId, current => current.AddNote(by, text, time.GetUtcNow()), cancellationToken);
            return new(incident, result);
        }
        catch (KeyNotFoundException)
        {
            return new(null, new(DecisionStatus.NotFound, $"There is no incident '{incidentId}'."));
        }
    }
}
