namespace Runbooks.Model.Incidents;

/// <summary>
/// After a take-over the incident is final for the engine. For people it stays open until its responder closes it, and until
/// <see cref="Incident.SettlesAt"/> alerts on the target are still added to it.
/// </summary>
public sealed partial record Incident
{
    /// <summary>After this time new alerts no longer go to the responder who took over, but ask people again.</summary>
    public static readonly TimeSpan LongestOwnership = TimeSpan.FromHours(4);

    public bool IsOwnedByResponder() => this is { State: IncidentState.TakenOver, SettlesAt: not null };

    /// <summary>Null if nobody did.</summary>
    [JsonIgnore]
    public string? TakenOverBy =>
        Gates.LastOrDefault(gate => gate.Outcome == GateOutcome.TakenOver)?.Decisions is [.., var last] ? last.Person : null;

    public bool MakesRoom() => State.IsFinal() && !IsOwnedByResponder();

    /// <summary>Whether it has ended and a person still has to say that it is over.</summary>
    public bool CanBeClosedByHand() => IsOwnedByResponder() || (State.IsFinal() && Attention is not null && ClosedByHand is null);

    /// <summary>Does nothing if the incident leaves nothing to a person.</summary>
    public Incident CloseByHand(string by, string reason, DateTimeOffset now) => CanBeClosedByHand()
        ? (SeeTo(by, reason, now) with
            {
                SettlesAt = null,
                IsAcknowledgementUnshown = false,
                ClosedByHand = new(by, reason, now),
                ClosedAt = now,
                Reason = $"{Reason} Closed by {by}: {reason}".Trim(),
            })
            .Note(now, TimelineKind.Closed, by, $"{by} closed it by hand: {reason}")
        : this;

    /// <summary>The time of the end. A later close by hand does not move it, except after a take-over.</summary>
    [JsonIgnore]
    public DateTimeOffset? EndedAt => ClosedByHand is null || State == IncidentState.TakenOver ? ClosedAt : Attention?.Since ?? ClosedAt;

    /// <summary>Others still have to be told.</summary>
    public Incident BeginClosing() => this with { ClosedByHand = ClosedByHand! with { IsUnfinished = true } };

    public Incident FinishClosing() =>
        ClosedByHand is { IsUnfinished: true } closing ? this with { ClosedByHand = closing with { IsUnfinished = false } } : this;

    public Incident NoteEarlier(Incident owned, DateTimeOffset now) => Note(
        now, TimelineKind.Opened, "runbook",
        $"Incident {owned.Id} on this target was taken over and is not closed after {LongestOwnership.TotalHours:0} h, so this alert "
        + "opened a new one.");
}

/// <summary>
/// An end that leaves something to a person: it failed, nobody answered, or something was left as it is. It stays on top of every list
/// until somebody acknowledges, retries or closes it.
/// </summary>
public sealed partial record Incident
{
    /// <summary>Null if the end leaves nothing to do.</summary>
    public Attention? Attention { get; init; }

    [JsonIgnore]
    public bool NeedsPerson => State.IsFinal() && Attention is { AcknowledgedAt: null };

    [JsonIgnore]
    public bool IsLeftToPeople => NeedsPerson || IsOwnedByResponder();

    /// <summary>Final, but it is left to people, its changes are still in place, or what follows its end broke off.</summary>
    [JsonIgnore]
    public bool IsUnfinished => IsLeftToPeople || (State.IsFinal() && (IsAftermathUnfinished || ChangeText.InPlace(this).Count > 0));

    /// <summary>Something is still to be done after the end, a close or an acknowledgement. The watchdog does it.</summary>
    [JsonIgnore]
    public bool IsAftermathUnfinished => IsEndUnfinished || IsAcknowledgementUnshown || ClosedByHand is { IsUnfinished: true };

    /// <summary>Whether a person still has something to do, also after an acknowledgement.</summary>
    [JsonIgnore]
    public bool LeavesWork => ClosedByHand is null && (IsUnfinished || (RetriedAs is null && CanBeClosedByHand()));

    /// <summary>The first one counts. Does nothing if the incident needs nobody.</summary>
    /// <param name="note">Null if they do not say what they do.</param>
    public Incident Acknowledge(string by, string? note, DateTimeOffset now) => NeedsPerson
        ? SeeTo(by, note, now).Note(now, TimelineKind.Decision, by, $"{by} acknowledged it{(note is { Length: > 0 } ? $": {note}" : ".")}")
        : this;

    /// <summary>Cards and alerts do not yet show that somebody acknowledged or retried it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsAcknowledgementUnshown { get; init; }

    public Incident BeginShowing() => this with { IsAcknowledgementUnshown = true };

    public Incident FinishShowing() => IsAcknowledgementUnshown ? this with { IsAcknowledgementUnshown = false } : this;

    private Incident SeeTo(string by, string? note, DateTimeOffset now) => NeedsPerson
        ? this with { Attention = Attention! with { AcknowledgedBy = by, AcknowledgedAt = now, Note = note }, UpdatedAt = now }
        : this;

    /// <summary>What the end leaves to a person. Null for nothing.</summary>
    private string? LeftToDo() => State switch
    {
        IncidentState.Failed or IncidentState.Expired => Reason ?? EndingText.Headline(this),
        _ when Steps.Any(step => step.Status is StepStatus.Kept or StepStatus.UndoFailed or StepStatus.LeftAlone) =>
            string.Join(" ", Steps.Where(step => step.Status is StepStatus.Kept or StepStatus.UndoFailed or StepStatus.LeftAlone).Select(step => $"{step.Name}: {step.Outcome}")),
        _ => null,
    };
}

/// <param name="Since">When it was left to people.</param>
public sealed record Attention(DateTimeOffset Since, string Why) : Evolving
{
    /// <summary>The first person who acknowledged it. Null while nobody has.</summary>
    public string? AcknowledgedBy { get; init; }
    public DateTimeOffset? AcknowledgedAt { get; init; }

    public string? Note { get; init; }
}
