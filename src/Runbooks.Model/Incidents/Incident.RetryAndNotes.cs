namespace Runbooks.Model.Incidents;

/// <summary>What people do with an incident beside deciding: try it again, write into its record.</summary>
public sealed partial record Incident
{
    /// <summary>What people write is kept for as long as the incident; nobody may bloat it.</summary>
    public const int MaxNotes = 100;

    /// <summary>The same words of the same person within this time are one note that was sent twice: a double click, a page that was loaded again.</summary>
    public static readonly TimeSpan SameNote = TimeSpan.FromMinutes(10);

    /// <summary>The ended incident that a person had tried again as this one; null for any other.</summary>
    public string? RetryOf { get; init; }

    /// <summary>The incident as which a person had it tried again; null for any other.</summary>
    public string? RetriedAs { get; init; }

    /// <summary>Who started it by hand and why, for whoever is asked; none where an alert opened it. A proposal is a warning instead.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> StartLines => IsProposed ? [] :
    [
        .. RetryOf is null ? [] : Timeline.Where(line => line.Kind == TimelineKind.Opened && line.Who != "runbook").TakeLast(1).Select(line => Clip.To(line.What, 500)),
        .. AlertIdentity.IsByHand(Alert.Source) && Alert.Summary is { } said ? [Clip.To(said, 500)] : Array.Empty<string>(),
    ];

    /// <summary>This one, just opened, tries another again: its alerts belong to this one from now on, and what is known of their end.</summary>
    /// <param name="hasChecks">Where there are none, the sender's word alone would withdraw what a person has just asked for.</param>
    public Incident TryAgain(Incident ended, bool hasChecks, string by, string reason, DateTimeOffset now) =>
        (CarryAlertsOf(ended) with { RetryOf = ended.Id, AlertResolvedAt = hasChecks ? ended.AlertResolvedAt : null })
        .Note(now, TimelineKind.Opened, by, $"{by} had incident {ended.Id} tried again: {reason}");

    /// <summary>The incident that tries it again has the matter from here on.</summary>
    public Incident NoteRetried(string next, string by, string reason, DateTimeOffset now) => RetriedAs is not null
        ? this
        : (SeeTo(by, $"Tried again as incident {next}.", now) with { RetriedAs = next }).Note(now, TimelineKind.Decision, by, $"{by} had it tried again as incident {next}: {reason}");

    /// <summary>A person's own words in the record; also after the end.</summary>
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

    /// <summary>When a person first did something about it; null while nobody has.</summary>
    public DateTimeOffset? FirstResponseAt() => Gates.SelectMany(gate => gate.Decisions).Select(decision => decision.At)
        .Concat(Stop is { } stop ? [stop.At] : []).Concat(Attention?.AcknowledgedAt is { } seen ? [seen] : []).Cast<DateTimeOffset?>().Min();

    /// <summary>When the checks first passed after it had acted; null when they never did, or where there are none.</summary>
    public DateTimeOffset? MitigatedAt() => Mode == RunMode.DryRun ? null : VerificationRounds
        .FirstOrDefault(round => round.State is IncidentState.Verifying or IncidentState.Holding && round.Verdicts.Values.All(verdict => verdict == Verdict.Passing))?.At;
}
