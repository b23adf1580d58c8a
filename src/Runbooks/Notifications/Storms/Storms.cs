using Microsoft.Extensions.Options;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Notifications.Storms;

/// <summary>Knows which runbooks are in a storm, over all hosts, and lets one sender at a time speak for each.</summary>
public sealed class Storms(ISharedState state, IIncidentStore store, IOptionsMonitor<StormOptions> options, TimeProvider time)
{
    private const string Key = "storms";

    /// <returns>Whether the incident is one of too many.</returns>
    public async Task<bool> JoinAsync(Incident incident, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var storm = options.CurrentValue;
        var recent = await store.ListAsync(new IncidentQuery(RunbookId: incident.RunbookId, Since: now - storm.Within, Limit: storm.MoreThan), cancellationToken);
        if (recent.Next is null)
        {
            return false;
        }

        await state.UpdateAsync<Known, bool>(
            Key,
            known => (Changed(known, incident.RunbookId, old => old?.Join(now) ?? new Storm(incident.RunbookId, now - storm.Within, now)), true),
            cancellationToken);
        return true;
    }

    public async Task<IReadOnlyList<Storm>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await state.FindAsync<Known>(Key, cancellationToken))?.Storms.Values ?? []];

    /// <returns>Null when there is no storm, or somebody else speaks for it now.</returns>
    public async Task<Storm?> TakeTurnAsync(string runbookId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return (await state.UpdateAsync<Known, Storm?>(
            Key,
            known => known?.Storms.GetValueOrDefault(runbookId)?.TakeTurn(now) is { } mine
                ? (Changed(known, runbookId, _ => mine), mine)
                : (known ?? Known.None, null),
            cancellationToken)).Result;
    }

    /// <param name="over">Nothing is left to tell of it.</param>
    public Task EndTurnAsync(Storm storm, bool over, CancellationToken cancellationToken) => state.UpdateAsync<Known, bool>(
        Key,
        known => (Changed(known, storm.RunbookId, old => over && old?.LastJoined == storm.LastJoined ? null : old is null ? null : old with { SendingUntil = null }), true),
        cancellationToken);

    private static Known Changed(Known? known, string runbookId, Func<Storm?, Storm?> change)
    {
        var before = known ?? Known.None;
        var old = before.Storms.GetValueOrDefault(runbookId);
        var storm = change(old);
        if (Equals(old, storm))
        {
            return before;
        }

        var storms = before.Storms.Where(other => other.Key != runbookId).ToDictionary(StringComparer.Ordinal);
        if (storm is not null)
        {
            storms[runbookId] = storm;
        }

        return new(storms);
    }

    /// <param name="Storms">By runbook.</param>
    public sealed record Known(IReadOnlyDictionary<string, Storm> Storms)
    {
        public static readonly Known None = new(new Dictionary<string, Storm>());
    }
}
