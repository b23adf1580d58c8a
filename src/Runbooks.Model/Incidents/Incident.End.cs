namespace Runbooks.Model.Incidents;

/// <summary>How an incident ends. A final state never changes.</summary>
public sealed partial record Incident
{
    /// <summary>The end says nothing about the fix: the automation broke, or was kept from acting.</summary>
    public bool IsInconclusive { get; init; }

    /// <summary>What follows the end is not done yet: the watchdog recorded the end, or something became known after it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsEndUnfinished { get; init; }

    /// <param name="cause">Where the record does not say. <see cref="EndingText"/> makes the reason from it.</param>
    public Incident End(IncidentState state, string cause, DateTimeOffset now, EndDetails? details = null)
    {
        var end = details ?? new();
        if (State.IsFinal())
        {
            return this;
        }

        var recorded = RecordFindings(end.Findings, now).FinishBrokenOff(now);
        if (recorded.OpenGate is { } gate)
        {
            recorded = recorded.CloseGate(gate.Id, GateOutcome.Cancelled, "The incident ended.", now);
        }

        var settles = state == IncidentState.Resolved && end.SettleFor > TimeSpan.Zero && recorded.Mode != RunMode.DryRun;
        var ended = recorded with
        {
            State = state,
            ClosedAt = now,
            IsInconclusive = end.IsInconclusive,
            SettlesAt = state switch
            {
                IncidentState.Resolved when settles => now + end.SettleFor,
                IncidentState.TakenOver => now + Incident.LongestOwnership,
                _ => null,
            },
            WakeEvent = settles ? end.SettleEvent : null,
            IsEndUnfinished = recorded.OutcomesToTell.Any(),
        };
        ended = ended with { Reason = EndingText.Of(ended, cause, end.InResolution) };
        ended = ended with { Attention = ended.LeftToDo() is { } left ? new(now, left) : null };
        return ended.Note(now, TimelineKind.Closed, "runbook", EndingText.WithHeadline(ended));
    }

    /// <summary>Later alerts on the target open a new incident.</summary>
    public Incident EndSettling(string why, DateTimeOffset now) => SettlesAt is null
        ? this
        : (this with { SettlesAt = null, WakeEvent = null }).Note(now, TimelineKind.Verification, "runbook", why);

    /// <summary>
    /// How recent the last checks before the end were; without checks, the time of the end. If nothing was changed, a value may be older
    /// than its alert, so the time of asking counts.
    /// </summary>
    private DateTimeOffset? SeenAt => State switch
    {
        IncidentState.SelfRecovered => ConfirmedAt is { } confirmed && !(Recovery?.ClaimedAt > confirmed) ? confirmed : Recovery?.ClaimedAt,
        _ when ActedAt is not null && Verification.Where(finding => finding.Verdict == Verdict.Passing).Min(finding => (DateTimeOffset?)finding.SeenAt) is { } seen => seen,
        _ when Verification.Count > 0 => Verification.Max(finding => finding.At),
        _ => ClosedAt,
    };

    /// <summary>Whether an alert fired after the last checks before the end, and the sender has not ended it.</summary>
    public bool FiresUnseen() =>
        AlertResolvedAt is null && (Alerts.Any(alert => !alert.Resolved && alert.LastAt > SeenAt) || UnlistedFireUnseen);

    private bool UnlistedFireUnseen => UnlistedFiring > 0 && UnlistedAt > SeenAt;

    /// <summary>The sender's reasons, if everything since then ended without an all-clear. Null if something fires.</summary>
    public string? EndedUnseenBecause()
    {
        var since = Alerts.Where(alert => !alert.Resolved && alert.LastAt > SeenAt).Select(alert => alert.EndedBecause).Distinct().ToList();
        return since.Count > 0 && !since.Contains(null) && !UnlistedFireUnseen ? Clip.To(string.Join(", ", since), 100) : null;
    }

    /// <summary>
    /// Alerts that began too late for the end to know them: after a fix without a settle window, or after a rejection while the changes
    /// were being undone.
    /// </summary>
    public IReadOnlyList<Alert> BegunUnseen() =>
        [.. Alerts.Where(alert => !alert.Resolved && BeganUnseen(alert)).Select(Refired).OfType<Alert>()];

    private bool BeganUnseen(AttachedAlert alert) => SaidNo() is { } no
        ? !alert.AskedNobody && BeganAfter(alert, no) && !IsRefired(alert, no)
        : State is IncidentState.Resolved or IncidentState.SelfRecovered && SettlesAt is null && alert.BeganAt > SeenAt;

    /// <summary>
    /// What fires although the fix was verified, first the newest that match the opening alert. Azure gives each firing a new identity, and
    /// later messages use that.
    /// </summary>
    public IReadOnlyList<Alert> FiringAgain()
    {
        var firing = Alerts
            .Where(known => known is { Resolved: false, HandedTo: null })
            .Select(known => (Alert: Refired(known)!, IsNew: known.LastAt > SeenAt))
            .Where(one => one.Alert is not null)
            .OrderByDescending(one => one.IsNew)
            .ThenByDescending(one => WasOpenedBy(one.Alert))
            .Select(one => one.Alert)
            .ToList();
        List<Alert> told = [.. firing.Where((alert, i) => !firing.Take(i).Any(other => SaysTheSame(other, alert)))];
        return told.Count > 0 ? told : [Alert];
    }

    /// <summary>Null if the message was not kept whole.</summary>
    private Alert? Refired(AttachedAlert known) => WholeReportOf(known) is { } report ? report with { StartsAt = known.StartsAt } : null;
}

public sealed record EndDetails
{
    /// <summary>Results that are not on record yet.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>How long alerts on the target still belong to it. Zero for no such window.</summary>
    public TimeSpan SettleFor { get; init; }

    /// <summary>The event that an alert in that time raises.</summary>
    public string? SettleEvent { get; init; }

    /// <summary>It ended while the resolution was to run.</summary>
    public bool InResolution { get; init; }

    /// <inheritdoc cref="Incident.IsInconclusive"/>
    public bool IsInconclusive { get; init; }
}

public sealed partial record Incident
{
    /// <summary>Noted once, since the activity that ends an incident may run twice.</summary>
    public Incident NoteAfterEnd(string what, DateTimeOffset now) => NoteOnce(now, TimelineKind.Message, "runbook", what);
}

public sealed partial record Incident
{
    /// <summary>Closes the open question too. A request to undo goes further than a stop, so it is recorded even after one.</summary>
    public Incident RequestStop(StopRequest stop)
    {
        if (State.IsFinal() || (Stop is { } earlier && (earlier.TakesBack || !stop.TakesBack)))
        {
            return this;
        }

        var words = stop.Text;
        var noted = (this with { Stop = stop with { BeforeResolution = !HasReachedResolution && UndoBeganAt is null } }).Note(
            stop.At, TimelineKind.Decision, stop.By, words);
        return noted.OpenGate is { Task: not { Undoes: true } } gate
            ? noted.CloseGate(gate.Id, GateOutcome.Cancelled, words, stop.At)
            : noted;
    }

    /// <summary>Whether the resolution has begun. A stop then leaves the mitigation's changes in place.</summary>
    [JsonIgnore]
    public bool HasReachedResolution =>
        State == IncidentState.Resolving
        || Gates.Any(gate => gate.Phase == Phase.Resolution)
        || Steps.Any(step => step.Phase == Phase.Resolution);

    [JsonIgnore]
    public bool KeepsFix => HasReachedResolution && !TakesFixBack;

    [JsonIgnore]
    public bool TakesFixBack => UndoBeganAt is not null || Stop is { UndoesFix: true };

    /// <summary>Nothing more is done after this. Noted if there is anything to undo.</summary>
    public Incident BeginUndo(string why, DateTimeOffset now)
    {
        if (UndoBeganAt is not null || State.IsFinal())
        {
            return this;
        }

        var begun = this with { UndoBeganAt = now };
        return Steps.Where(step => step.IsToBeTakenBack).ToList() is { Count: > 0 } back
            ? begun.Note(now, TimelineKind.Undo, "runbook", $"Taking back {EndingText.Names(back)}: {why}")
            : begun;
    }

    [JsonIgnore]
    public bool CanBeTakenBack => !State.IsFinal() && Stop is not { TakesBack: true } && ChangeText.InPlace(this).Count > 0;

    /// <summary>
    /// Whether a stop came after the workflow's last read and steps are to be undone. A stop during the resolution leaves a working fix,
    /// and a take-over leaves things as they are. A request to undo leaves nothing.
    /// </summary>
    public bool HasUnreadStop(IncidentState end, bool inResolution) =>
        Stop is { } stop && !State.IsFinal() && UndoBeganAt is null && Steps.Count > 0
        && (stop.TakesBack || (end != IncidentState.TakenOver && (stop.BeforeResolution || !(inResolution || Steps.Any(step => step.Phase == Phase.Resolution)))));
}

public static class StopText
{
    /// <summary>Empty if no alert fires.</summary>
    public static string AsksNoMore(Incident incident) => Firing(incident, "This");

    /// <inheritdoc cref="AsksNoMore"/>
    public static string NoIsRemembered(Incident incident) => Firing(incident, "A no is remembered: this");

    /// <summary>Closing a failure says nothing about later alerts.</summary>
    public static string AfterClosing(Incident closed)
    {
        var looked = closed.FollowedBy is { } next && closed.State == IncidentState.TakenOver
            ? $" {string.Join(", ", closed.Alerts.Where(alert => alert.HandedTo == next).Select(alert => alert.Name).Distinct())} "
                + $"began after it was taken over; incident {next} looks at it."
            : "";
        return closed.State == IncidentState.TakenOver && closed.Alerts.Any(alert => alert is { Resolved: false, HandedTo: null })
            ? $"{looked}{AsksNoMore(closed)}"
            : looked;
    }

    private static string Firing(Incident incident, string begins) =>
        AlertIdentity.IsByHand(incident.Alert.Source) ? "" : $" {begins} firing of the alert asks again only if it becomes more severe.";

    public static string Of(Incident incident) => incident.KeepsFix
        ? $"What the mitigation changed stays, unless it is taken back.{AsksNoMore(incident)}"
        : $"What can be taken back is taken back.{AsksNoMore(incident)}";
}
