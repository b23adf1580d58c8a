using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.Extensions.Options;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Notifications.Storms;

/// <summary>Knows which runbooks are in a storm, over all hosts, and lets one sender at a time speak for each.</summary>
public sealed class StormRegistry(ISharedState state, IIncidentStore store, IOptionsMonitor<StormOptions> options, TimeProvider time)
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

/// <summary>One runbook's storm.</summary>
/// <param name="Since">Incidents that opened at this time or later belong to it.</param>
/// <param name="LastJoined">When the latest was known to join, to within <see cref="Coarse"/>.</param>
/// <param name="SendingUntil">A message is being sent by somebody, who has until then; null when nobody is at it.</param>
public sealed record Storm(string RunbookId, DateTimeOffset Since, DateTimeOffset LastJoined, DateTimeOffset? SendingUntil = null)
{
    /// <summary>Two hundred incidents that join within a second need not write two hundred times.</summary>
    private static readonly TimeSpan Coarse = TimeSpan.FromSeconds(10);

    /// <summary>A sender that has not come back by then has died.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMinutes(3);

    /// <summary>Stands where an incident's id would: channels that join messages into threads join a storm's.</summary>
    public string Id => string.Create(CultureInfo.InvariantCulture, $"storm-{RunbookId}-{Since.UtcDateTime:yyMMdd-HHmmss}");

    public Storm Join(DateTimeOffset now) => now - LastJoined < Coarse ? this : this with { LastJoined = now };

    /// <returns>Null while somebody else sends.</returns>
    public Storm? TakeTurn(DateTimeOffset now) => SendingUntil > now ? null : this with { SendingUntil = now + LongestTurn };
}

/// <summary>When so much breaks at once that people get one message about all of it instead of one each.</summary>
public sealed class StormOptions
{
    public const string SectionName = "Storms";

    /// <summary>More incidents of one runbook than this within <see cref="Within"/> are a storm.</summary>
    [Range(1, 10_000)]
    public int MoreThan { get; set; } = 50;

    /// <summary>How close together incidents open in a storm.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan Within { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a message waits for more incidents to join it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromSeconds(15);
}
