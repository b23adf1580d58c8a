namespace Runbooks.Model.Incidents;

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
    public bool IsUnfinished => IsLeftToPeople || (State.IsFinal() && (IsEndUnfinished || ChangeText.InPlace(this).Count > 0));

    /// <summary>Whether a person has still to do something or to say that it is over, also once somebody sees to it.</summary>
    [JsonIgnore]
    public bool LeavesWork => IsUnfinished || (RetriedAs is null && CanBeClosedByHand());

    /// <summary>Somebody has seen it and sees to it. The first one counts; says nothing about an incident that needs nobody.</summary>
    /// <param name="note">What they do about it; null when they do not say.</param>
    public Incident Acknowledge(string by, string? note, DateTimeOffset now) => NeedsPerson
        ? SeeTo(by, note, now).Note(now, TimelineKind.Decision, by, $"{by} acknowledged it{(note is { Length: > 0 } ? $": {note}" : ".")}")
        : this;

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
public sealed record Attention(DateTimeOffset Since, string Why)
{
    /// <summary>Whoever saw to it first; null while nobody has.</summary>
    public string? AcknowledgedBy { get; init; }
    public DateTimeOffset? AcknowledgedAt { get; init; }

    /// <summary>What they said.</summary>
    public string? Note { get; init; }
}
