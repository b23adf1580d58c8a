using System.Text.Json;

namespace Runbooks.Model.Incidents;

/// <summary>
/// The record as JSON lines, each chained to the one before, with a last line that counts them. A changed, removed or added line shows, and
/// so does a file that was cut off.
/// </summary>
public static class AuditTrail
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        Converters = { CamelCase.Enums },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        MaxDepth = 4,
    };

    /// <summary>Leaves out unknown properties, which the entry's hash does not cover.</summary>
    public static IEnumerable<string> Export(Incident incident) => incident.Timeline
        .Select(entry => JsonSerializer.Serialize(entry with { Later = null }, s_json))
        .Append(JsonSerializer.Serialize(AuditHead.Of(incident), s_json));

    public static AuditVerdict Verify(IReadOnlyList<string> lines)
    {
        if (lines.Count == 0 || !TryRead<AuditHead>(lines[^1], out var head) || head is not { Incident: not null, LastHash: not null })
        {
            return new(null, lines.Count, "The last line is not the head that closes the file: the end is missing.");
        }

        var entries = new List<TimelineEntry>();
        foreach (var line in lines.SkipLast(1))
        {
            if (!TryRead<TimelineEntry>(line, out var entry) || entry is not { Who: not null, What: not null, Hash: not null, Later: null })
            {
                return new(head.Incident, entries.Count + 1, "This line is not an entry.");
            }

            entries.Add(entry);
        }

        if (Incident.FindBreak(head.Incident, entries) is { } broken)
        {
            return new(
                head.Incident,
                broken,
                "This line does not follow from the line before: it or its predecessor was altered, removed or added.");
        }

        return head.Entries != entries.Count || head.LastHash != AuditHead.HashOf(head.Incident, entries)
            ? new(
                head.Incident,
                entries.Count + 1,
                $"The head counts {head.Entries} entries and the file has {entries.Count}: lines are missing at the end.")
            : new(head.Incident, null, $"Whole: {entries.Count} entries of incident {head.Incident}, last hash {head.LastHash}.");
    }

    private static bool TryRead<T>(string line, out T? value)
        where T : class
    {
        try
        {
            value = JsonSerializer.Deserialize<T>(line, s_json);
            return value is not null;
        }
        catch (JsonException)
        {
            value = null;
            return false;
        }
    }
}

/// <param name="Line">The first wrong line, counted from 1. Null if the record is intact.</param>
public sealed record AuditVerdict(string? Incident, int? Line, string Message)
{
    public bool IsIntact => Line is null;
}

/// <summary>A copy of <see cref="LastHash"/> elsewhere also proves that nobody rewrote the whole chain.</summary>
public sealed record AuditHead(
    string Incident, string Runbook, string RunbookHash, string Target, IncidentState State, int Entries, string LastHash)
{
    public static AuditHead Of(Incident incident) => new(
        incident.Id, incident.RunbookId, incident.RunbookHash, incident.Target, incident.State, incident.Timeline.Count, HashOf(incident.Id, incident.Timeline));

    /// <summary>The chain begins with the incident's id.</summary>
    internal static string HashOf(string incidentId, IReadOnlyList<TimelineEntry> timeline) =>
        timeline.Count == 0 ? incidentId : timeline[^1].Hash;
}
