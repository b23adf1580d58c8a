namespace Runbooks.Model.Incidents;

/// <summary>
/// What follows a take-over. For the engine the incident is final; for people it stays open until the responder who owns it says
/// that it is over. Its <see cref="Incident.SettlesAt"/> holds how long alerts on the target keep folding into it.
/// </summary>
public sealed partial record Incident
{
    /// <summary>How long new alerts go to the responder who took over, before people are asked again.</summary>
    public static readonly TimeSpan LongestOwnership = TimeSpan.FromHours(4);

    /// <summary>Whether a person took it over and has not closed it yet.</summary>
    public bool IsOwnedByResponder() => this is { State: IncidentState.TakenOver, SettlesAt: not null };

    /// <summary>Whoever took it over; null where nobody did.</summary>
    [JsonIgnore]
    public string? TakenOverBy => Gates.LastOrDefault(gate => gate.Outcome == GateOutcome.TakenOver)?.Decisions is [.., var last] ? last.Person : null;

    /// <summary>Whether another one may open on its target: it has ended, and no responder owns it.</summary>
    public bool MakesRoom() => State.IsFinal() && !IsOwnedByResponder();

    /// <summary>Whether it has ended and a person has still to say that it is over: one that owns it, or that sees to what was left.</summary>
    public bool CanBeClosedByHand() => IsOwnedByResponder() || (State.IsFinal() && Attention is not null && ClosedByHand is null);

    /// <summary>Closed by hand. Says nothing about an incident that leaves nothing to a person.</summary>
    public Incident CloseByHand(string by, string reason, DateTimeOffset now) => CanBeClosedByHand()
        ? (SeeTo(by, reason, now) with { SettlesAt = null, IsAcknowledgementUnshown = false, ClosedByHand = new(by, reason, now), ClosedAt = now, Reason = $"{Reason} Closed by {by}: {reason}".Trim() })
            .Note(now, TimelineKind.Closed, by, $"{by} closed it by hand: {reason}")
        : this;

    /// <summary>When it ended: closing what an end left to a person moves no end. One that a person took over ends when they close it.</summary>
    [JsonIgnore]
    public DateTimeOffset? EndedAt => ClosedByHand is null || State == IncidentState.TakenOver ? ClosedAt : Attention?.Since ?? ClosedAt;

    /// <summary>Others have to be told of the close.</summary>
    public Incident BeginClosing() => this with { ClosedByHand = ClosedByHand! with { IsUnfinished = true } };

    /// <summary>All that follows the close is done.</summary>
    public Incident FinishClosing() => ClosedByHand is { IsUnfinished: true } closing ? this with { ClosedByHand = closing with { IsUnfinished = false } } : this;

    /// <summary>What a new incident says about the one before it that a responder still owns.</summary>
    public Incident NoteEarlier(Incident owned, DateTimeOffset now) => Note(
        now, TimelineKind.Opened, "runbook",
        $"Incident {owned.Id} on this target was taken over and is not closed after {LongestOwnership.TotalHours:0} h, so this alert opened a new one.");
}

/// <summary>
/// An end that leaves something to a person: it failed, nobody answered, or something was left as it is. For the engine the
/// incident is final; it stays on top of every list until somebody acknowledges it, tries it again or closes it.
/// </summary>
public sealed partial record Incident
{
    /// <summary>What a person is needed for, and who has seen to it; null where the end leaves nothing to do.</summary>
    public Attention? Attention { get; init; }

    /// <summary>Whether it ended with something for a person to do that nobody has acknowledged yet.</summary>
    [JsonIgnore]
    public bool NeedsPerson => State.IsFinal() && Attention is { AcknowledgedAt: null };

    /// <summary>Final and not over: it needs a person, or a responder owns it.</summary>
    [JsonIgnore]
    public bool IsLeftToPeople => NeedsPerson || IsOwnedByResponder();

    /// <summary>Final and not done with: it is left to people, what it changed is still there, or what follows its end broke off.</summary>
    [JsonIgnore]
    public bool IsUnfinished => IsLeftToPeople || (State.IsFinal() && (IsAftermathUnfinished || ChangeText.InPlace(this).Count > 0));

    /// <summary>What follows its end, a close by hand or an acknowledgement is not done yet: the watch does it.</summary>
    [JsonIgnore]
    public bool IsAftermathUnfinished => IsEndUnfinished || IsAcknowledgementUnshown || ClosedByHand is { IsUnfinished: true };

    /// <summary>Whether a person has still to do something or to say that it is over, also once somebody sees to it.</summary>
    [JsonIgnore]
    public bool LeavesWork => ClosedByHand is null && (IsUnfinished || (RetriedAs is null && CanBeClosedByHand()));

    /// <summary>Somebody has seen it and sees to it. The first one counts; says nothing about an incident that needs nobody.</summary>
    /// <param name="note">What they do about it; null when they do not say.</param>
    public Incident Acknowledge(string by, string? note, DateTimeOffset now) => NeedsPerson
        ? SeeTo(by, note, now).Note(now, TimelineKind.Decision, by, $"{by} acknowledged it{(note is { Length: > 0 } ? $": {note}" : ".")}")
        : this;

    /// <summary>Cards and alerts have not been told yet that somebody sees to it, or has had it tried again.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsAcknowledgementUnshown { get; init; }

    /// <summary>Others have to be told that somebody sees to it.</summary>
    public Incident BeginShowing() => this with { IsAcknowledgementUnshown = true };

    /// <summary>The cards say that somebody sees to it.</summary>
    public Incident FinishShowing() => IsAcknowledgementUnshown ? this with { IsAcknowledgementUnshown = false } : this;

    private Incident SeeTo(string by, string? note, DateTimeOffset now) => NeedsPerson
        ? this with { Attention = Attention! with { AcknowledgedBy = by, AcknowledgedAt = now, Note = note }, UpdatedAt = now }
        : this;

    /// <summary>What the end leaves to a person, in words; null when nothing.</summary>
    private string? LeftToDo() => State switch
    {
        IncidentState.Failed or IncidentState.Expired => Reason ?? EndingText.Headline(this),
        _ when Steps.Any(step => step.Status is StepStatus.Kept or StepStatus.UndoFailed or StepStatus.LeftAlone) =>
            string.Join(" ", Steps.Where(step => step.Status is StepStatus.Kept or StepStatus.UndoFailed or StepStatus.LeftAlone).Select(step => $"{step.Name}: {step.Outcome}")),
        _ => null,
    };
}

/// <summary>What a person is needed for after the end.</summary>
/// <param name="Since">When it was left to people.</param>
/// <param name="Why">In words.</param>
public sealed record Attention(DateTimeOffset Since, string Why) : Evolving
{
    /// <summary>Whoever saw to it first; null while nobody has.</summary>
    public string? AcknowledgedBy { get; init; }
    public DateTimeOffset? AcknowledgedAt { get; init; }

    /// <summary>What they said.</summary>
    public string? Note { get; init; }
}
