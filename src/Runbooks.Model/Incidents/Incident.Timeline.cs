namespace Runbooks.Model.Incidents;

/// <summary>A chain of hashes proves that nothing was removed or changed.</summary>
public sealed partial record Incident
{
    /// <summary>An entry has to be readable on a phone.</summary>
    public const int MaxText = 2_000;

    /// <summary>The most notes by people in one record.</summary>
    public const int MaxNotes = 100;

    /// <summary>A double click or a reloaded page sends a note twice.</summary>
    public static readonly TimeSpan SameNote = TimeSpan.FromMinutes(10);

    public Incident Note(DateTimeOffset at, TimelineKind kind, string who, string what)
    {
        var previous = Timeline.Count == 0 ? Id : Timeline[^1].Hash;
        var entry = new TimelineEntry(
            Timeline.Count + 1, at, kind, Cut(Redactor.Redact(who), 200), Cut(Redactor.Redact(what), MaxText), "");
        entry = entry with { Hash = HashOf(previous, entry) };
        return this with { Timeline = [.. Timeline, entry], UpdatedAt = at };
    }

    /// <summary>Compared after redacting and cutting.</summary>
    public Incident NoteOnce(DateTimeOffset at, TimelineKind kind, string who, string what)
    {
        var noted = Note(at, kind, who, what);
        return Timeline.Any(line => line.What == noted.Timeline[^1].What) ? this : noted;
    }

    /// <summary>A person's own words. Allowed after the end too.</summary>
    public (Incident Incident, DecisionResult Result) AddNote(string by, string text, DateTimeOffset now)
    {
        var noted = Note(now, TimelineKind.Note, by, text);
        var (who, what) = (noted.Timeline[^1].Who, noted.Timeline[^1].What);
        return Timeline.Any(line => line.Kind == TimelineKind.Note && line.Who == who && line.What == what && now - line.At < SameNote)
            ? (this, new(DecisionStatus.AlreadyCounted, "The note is on record already."))
            : Timeline.Count(line => line.Kind == TimelineKind.Note) < MaxNotes
            ? (noted, new(DecisionStatus.Decided, "The note is on record."))
            : (this, new(DecisionStatus.AlreadyClosed, $"Incident {Id} has {MaxNotes} notes already, which is as many as it takes."));
    }

    /// <summary>Sorted by time. The chain has the order of recording, which may differ slightly.</summary>
    public IReadOnlyList<TimelineEntry> TimelineByTime() => [.. Timeline.OrderBy(entry => entry.At).ThenBy(entry => entry.Number)];

    /// <summary>Who started it by hand and why. Empty if an alert opened it, and for a proposal, which is a warning instead.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> StartLines => IsProposed ? [] :
    [
        .. RetryOf is null
            ? []
            : Timeline
                .Where(line => line.Kind == TimelineKind.Opened && line.Who != "runbook")
                .TakeLast(1)
                .Select(line => Clip.To(line.What, 500)),
        .. Lines.Of(AlertIdentity.IsByHand(Alert.Source) && Alert.Summary is { } said ? Clip.To(said, 500) : null),
    ];

    /// <summary>Null while nobody has.</summary>
    public DateTimeOffset? FirstResponseAt() => Gates.SelectMany(gate => gate.Decisions).Select(decision => decision.At)
        .Concat(Stop is { } stop ? [stop.At] : []).Concat(Attention?.AcknowledgedAt is { } seen ? [seen] : []).Cast<DateTimeOffset?>().Min();

    /// <summary>Null if they never did, if they had passed before, or if it changed nothing.</summary>
    public DateTimeOffset? MitigatedAt() => Mode != RunMode.DryRun && EndingText.HasChanged(this)
        && VerificationRounds.FirstOrDefault(round =>
            round.State is IncidentState.Verifying or IncidentState.Holding
            && round.Verdicts.Values.All(verdict => verdict == Verdict.Passing)) is { } passed
        && !EndingText.PassedBefore(this, passed)
            ? passed.At
            : null;

    /// <summary>Null if the chain is intact.</summary>
    public static int? FindBreak(string incidentId, IReadOnlyList<TimelineEntry> timeline)
    {
        var previous = incidentId;
        for (var i = 0; i < timeline.Count; i++)
        {
            var entry = timeline[i];
            if (entry.Number != i + 1 || entry.Hash != HashOf(previous, entry))
            {
                return i + 1;
            }

            previous = entry.Hash;
        }

        return null;
    }

    private static string HashOf(string previous, TimelineEntry entry)
    {
        // Length prefixes make sure that two different entries never give the same bytes.
        var text = new StringBuilder();
        foreach (var part in (string[])
            [
                previous,
                entry.Number.ToString(CultureInfo.InvariantCulture),
                entry.At.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture),
                entry.Kind.ToString(),
                entry.Who,
                entry.What,
            ])
        {
            text.Append(part.Length).Append(':').Append(part);
        }

        return TextHash.Of(text.ToString());
    }

    private static string Cut(string text, int max) => text.Length <= max ? text : string.Concat(text.AsSpan(0, max - 1), "…");
}

/// <summary>
/// One entry of the record, which is also the audit log. Append-only: each <see cref="Hash"/> covers the entry before, so a removed or
/// changed one shows.
/// </summary>
public sealed record TimelineEntry(int Number, DateTimeOffset At, TimelineKind Kind, string Who, string What, string Hash) : Evolving;

public enum TimelineKind { Opened, Alert, Diagnosis, Gate, Decision, Message, Step, Verification, Lease, Undo, Safety, Closed, Note }
