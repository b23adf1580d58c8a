namespace Runbooks.Intake;

/// <summary>What the alerts mean for the incident on their target.</summary>
internal enum AlertIntent
{
    /// <summary>Opens an incident when there is none.</summary>
    Fire,

    Resolve,

    Acknowledge,

    /// <summary>Reports on an outage that is known already, and opens nothing.</summary>
    Tell,
}

/// <summary>Alerts of one post on the same runbook and target, in the post's order, all of one intent.</summary>
/// <param name="Places">Where in the answer the outcomes go.</param>
internal sealed record AlertBatch(
    string RunbookId, string Target, AlertIntent Intent, IReadOnlyList<Alert> Alerts, IReadOnlyList<int> Places)
{
    /// <summary>Null where no incident may be opened.</summary>
    public Runbook? Runbook { get; init; }

    /// <summary>Incidents of this runbook that know one of the alerts, newest first: one may have a no, or see it still firing.</summary>
    public IReadOnlyList<string> Ended { get; init; } = [];

    /// <summary>Why it reaches no incident although some know its identity.</summary>
    public string? Unclear { get; init; }

    public string? StartedBy { get; init; }

    /// <inheritdoc cref="Incident.IsProposed"/>
    public bool IsProposed { get; init; }

    public string? TraceParent { get; init; }

    public Alert First => Alerts[0];

    public string TargetKey => Model.Alerts.TargetKey.Of(Target, First);

    public Incident Candidate(Runbook runbook, RunMode system, DateTimeOffset now)
    {
        var empty = new Incident
        {
            Id = IncidentId.New(now),
            RunbookId = runbook.Id,
            RunbookHash = runbook.Hash,
            Publication = runbook.Publication,
            Team = runbook.Team.Length > 0 ? runbook.Team : null,
            Title = runbook.Title,
            Target = Target,
            Alert = First,
            StartedBy = StartedBy,
            IsProposed = IsProposed,
            Severity = runbook.Impact.Severity,
            Mode = RunModes.Stricter(IsProposed ? RunMode.ApproveAll : RunMode.Normal, RunModes.Stricter(runbook.Mode, system)),
            TraceParent = IncidentTrace.Read(TraceParent),
            OpenedAt = now,
            UpdatedAt = now,
        };
        var what = First.Summary is { Length: > 0 } summary ? $"{First.Name}: {summary}" : First.Name;
        var opened = empty.Note(now, TimelineKind.Opened, StartedBy ?? First.Source, what);
        return AttachTo(opened, now);
    }

    public Incident AttachTo(Incident incident, DateTimeOffset now) =>
        Alerts.Aggregate(incident, (changed, alert) => changed.Attach(alert, now));

    /// <summary>
    /// A manual start is only noted, not attached as an alert that no sender would ever end. It opens nothing later: by then nobody would
    /// know who started it, nor whether it may act without approval.
    /// </summary>
    public Incident JoinTo(Incident incident, DateTimeOffset now) =>
        StartedBy is { } by ? incident.NoteStart(by, First.Summary ?? First.Name, now) : AttachTo(incident, now);

    public IntakeOutcome Answer(IntakeResult result, string? id, string? reason) => new(id, RunbookId, Target, result, reason);

    /// <param name="before">As it was before the post; null where this post opened it.</param>
    public IntakeOutcome AnswerToFolded(Alert alert, Incident incident, Incident? before, DateTimeOffset now)
    {
        if (before?.IsOfEarlierEpisode(alert) == true)
        {
            return Answer(IntakeResult.Ignored, null, AlertUpdates.Late(incident));
        }

        var folding = IntakeText.Folding(incident, now);
        var reason = before?.KnowsWithOtherLabels(alert) == true
            ? $"{folding} Its fingerprint came before with other labels, and counts as the same alert: a fingerprint names one thing."
            : folding;
        return Answer(IntakeResult.Folded, incident.Id, reason);
    }
}
