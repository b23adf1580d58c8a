namespace Runbooks.Model.Incidents;

/// <summary>How an incident becomes final; once final it stays so.</summary>
public sealed partial record Incident
{
    /// <summary>It ended for a reason that says nothing about the fix: the automation broke, or was kept from acting.</summary>
    public bool IsInconclusive { get; init; }

    /// <summary>The watch has recorded the end, or something came to be known after it, and what follows is not done yet.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsEndUnfinished { get; init; }

    /// <param name="cause">What ended it, where the record does not say; <see cref="EndingText"/> makes the reason of it.</param>
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

    /// <summary>Ends the settle window early: later alerts on the target open a new incident.</summary>
    public Incident EndSettling(string why, DateTimeOffset now) => SettlesAt is null
        ? this
        : (this with { SettlesAt = null, WakeEvent = null }).Note(now, TimelineKind.Verification, "runbook", why);

    /// <summary>
    /// Of when its checks told last before the end that it came to; where none was asked, when it ended. Where nothing was changed, a value
    /// of before its own alert may stand there: that tells no more than when it was asked.
    /// </summary>
    private DateTimeOffset? SeenAt => State switch
    {
        IncidentState.SelfRecovered => ConfirmedAt is { } confirmed && !(Recovery?.ClaimedAt > confirmed) ? confirmed : Recovery?.ClaimedAt,
        _ when ActedAt is not null && Verification.Where(finding => finding.Verdict == Verdict.Passing).Min(finding => (DateTimeOffset?)finding.SeenAt) is { } seen => seen,
        _ when Verification.Count > 0 => Verification.Max(finding => finding.At),
        _ => ClosedAt,
    };

    /// <summary>Whether an alert fired on or again after the checks had answered last before the end, and nobody has said that it is over.</summary>
    public bool FiresUnseen() => AlertResolvedAt is null && (Alerts.Any(alert => !alert.Resolved && alert.LastAt > SeenAt) || UnlistedFireUnseen);

    private bool UnlistedFireUnseen => UnlistedFiring > 0 && UnlistedAt > SeenAt;

    /// <summary>The sender's reasons, where all that came since it had ended is an end without an all-clear; null where something fires.</summary>
    public string? EndedUnseenBecause()
    {
        var since = Alerts.Where(alert => !alert.Resolved && alert.LastAt > SeenAt).Select(alert => alert.EndedBecause).Distinct().ToList();
        return since.Count > 0 && !since.Contains(null) && !UnlistedFireUnseen ? Clip.To(string.Join(", ", since), 100) : null;
    }

    /// <summary>
    /// The alerts that began, or began again, too late for the end to know of them: after a fix, where no settle window looks into them, and
    /// after a person's no, while what had been done was being taken back.
    /// </summary>
    public IReadOnlyList<Alert> BegunUnseen() => [.. Alerts.Where(alert => !alert.Resolved && BeganUnseen(alert)).Select(Refired).OfType<Alert>()];

    private bool BeganUnseen(AttachedAlert alert) => SaidNo() is { } no
        ? !alert.AskedNobody && BeganAfter(alert, no) && !IsRefired(alert, no)
        : State is IncidentState.Resolved or IncidentState.SelfRecovered && SettlesAt is null && alert.BeganAt > SeenAt;

    /// <summary>
    /// What fires although the fix was verified, first what came since that says what this incident was opened for. Azure gives each
    /// firing an identity of its own, and what the sender says of it later goes by that.
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

    /// <summary>As it fires now; null where it was not kept whole.</summary>
    private Alert? Refired(AttachedAlert known) => WholeReportOf(known) is { } report ? report with { StartsAt = known.StartsAt } : null;
}

/// <summary>What else is known of an end.</summary>
public sealed record EndDetails
{
    /// <summary>Answers that are not on record yet.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>For how long alerts on the target still belong to it; nothing where there is no such window.</summary>
    public TimeSpan SettleFor { get; init; }

    /// <summary>What an alert in that time raises.</summary>
    public string? SettleEvent { get; init; }

    /// <summary>It ended while the resolution was to run.</summary>
    public bool InResolution { get; init; }

    /// <inheritdoc cref="Incident.IsInconclusive"/>
    public bool IsInconclusive { get; init; }
}

/// <summary>What is seen to outside once it has ended.</summary>
public sealed partial record Incident
{
    /// <summary>Said once: the activity that ends an incident may run twice.</summary>
    public Incident NoteAfterEnd(string what, DateTimeOffset now) => NoteOnce(now, TimelineKind.Message, "runbook", what);
}

/// <summary>A person stops the automation of an incident.</summary>
public sealed partial record Incident
{
    /// <summary>
    /// Records the wish once, and closes the open question with it: nobody can approve what is being stopped. Whoever wants what was
    /// changed taken back wants more than a stop, and has that recorded after one too.
    /// </summary>
    public Incident RequestStop(StopRequest stop)
    {
        if (State.IsFinal() || (Stop is { } earlier && (earlier.TakesBack || !stop.TakesBack)))
        {
            return this;
        }

        var words = stop.Text;
        var noted = (this with { Stop = stop with { BeforeResolution = !HasReachedResolution && UndoBeganAt is null } }).Note(stop.At, TimelineKind.Decision, stop.By, words);
        return noted.OpenGate is { Task: not { Undoes: true } } gate ? noted.CloseGate(gate.Id, GateOutcome.Cancelled, words, stop.At) : noted;
    }

    /// <summary>Whether it has come to the resolution: what the mitigation changed then stays when it is stopped.</summary>
    [JsonIgnore]
    public bool HasReachedResolution => State == IncidentState.Resolving || Gates.Any(gate => gate.Phase == Phase.Resolution) || Steps.Any(step => step.Phase == Phase.Resolution);

    /// <summary>Whether its fix stays: it has come to the resolution, and nobody takes anything back or is to.</summary>
    [JsonIgnore]
    public bool KeepsFix => HasReachedResolution && !TakesFixBack;

    /// <summary>Whether what it changed is being taken back, or somebody has asked for that.</summary>
    [JsonIgnore]
    public bool TakesFixBack => UndoBeganAt is not null || Stop is { UndoesFix: true };

    /// <summary>From now on what was changed is taken back, and nothing more is done; said where there is anything to take back.</summary>
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

    /// <summary>Whether what it changed can be taken back before its time, and nobody has asked for that yet.</summary>
    [JsonIgnore]
    public bool CanBeTakenBack => !State.IsFinal() && Stop is not { TakesBack: true } && ChangeText.InPlace(this).Count > 0;

    /// <summary>
    /// Whether somebody stopped it after the workflow had read the record for the last time, though steps have run that they want
    /// undone. A stop that came in the resolution leaves a fix that worked, and whoever took over finds things as they are; a take-back leaves nothing.
    /// </summary>
    /// <param name="end">As what it is about to end.</param>
    /// <param name="inResolution">It is about to end while the resolution was to run.</param>
    public bool HasUnreadStop(IncidentState end, bool inResolution) =>
        Stop is { } stop && !State.IsFinal() && UndoBeganAt is null && Steps.Count > 0
        && (stop.TakesBack || (end != IncidentState.TakenOver && (stop.BeforeResolution || !(inResolution || Steps.Any(step => step.Phase == Phase.Resolution)))));
}

/// <summary>What people are told that a stop does, before and after they ask for it.</summary>
public static class StopText
{
    /// <summary>Follows what a no or a stop does; nothing where no alert fires.</summary>
    public static string AsksNoMore(Incident incident) => Firing(incident, "This");

    /// <inheritdoc cref="AsksNoMore"/>
    public static string NoIsRemembered(Incident incident) => Firing(incident, "A no is remembered: this");

    /// <summary>Follows that an incident is closed: what becomes of alerts that still fire. Whoever closes a failure says nothing about what comes next.</summary>
    public static string AfterClosing(Incident closed)
    {
        var looked = closed.FollowedBy is { } next && closed.State == IncidentState.TakenOver
            ? $" {string.Join(", ", closed.Alerts.Where(alert => alert.HandedTo == next).Select(alert => alert.Name).Distinct())} began after it was taken over; incident {next} looks at it." : "";
        return closed.State == IncidentState.TakenOver && closed.Alerts.Any(alert => alert is { Resolved: false, HandedTo: null }) ? $"{looked}{AsksNoMore(closed)}" : looked;
    }

    private static string Firing(Incident incident, string begins) =>
        AlertIdentity.IsByHand(incident.Alert.Source) ? "" : $" {begins} firing of the alert asks again only if it becomes more severe.";

    public static string Of(Incident incident) => incident.KeepsFix
        ? $"What the mitigation changed stays, unless it is taken back.{AsksNoMore(incident)}"
        : $"What can be taken back is taken back.{AsksNoMore(incident)}";
}
