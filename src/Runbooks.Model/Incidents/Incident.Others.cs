namespace Runbooks.Model.Incidents;

/// <summary>Alerts other than the one that opened the incident. They are recorded and shown, and checked when it ends.</summary>
public sealed partial record Incident
{
    /// <summary>Other alerts that are kept whole. Of further ones only name, severity and summary are kept.</summary>
    public const int MaxKeptWhole = 10;

    /// <summary>Characters of labels and annotations up to which another alert is kept whole.</summary>
    public const int MaxKeptText = 16_000;

    private const int MaxShownOthers = 10;

    private const string SeverityNews = "severity:";

    private const string GoesOnNews = "goes-on:";

    private const string OpenerIsOverNews = "opener-is-over";

    /// <summary>The incident for the alerts that still fired when this one ended. Null for none.</summary>
    public string? FollowedBy { get; init; }

    /// <summary>The incident at whose end this one was opened for another alert. Null for any other.</summary>
    public string? FollowUpOf { get; init; }

    [JsonIgnore]
    public IReadOnlyList<AttachedAlert> Others => [.. Alerts.Where(alert => !alert.Is(Alert))];

    /// <summary>
    /// The incident whose fix did not last for this alert. Null if this one does not know it, or acted on the alert, or found it well.
    /// </summary>
    public string? BrokenFixOf(Alert alert) => Alerts.FirstOrDefault(known => known.Is(alert))?.Follows
        ?? (IsDoneWith(alert) ? null : Follows);

    /// <summary>What tried the same for this alert without success: this incident or an earlier one. Null for none.</summary>
    private EarlierTry? TriedFor(Alert alert)
    {
        List<string> unknown = [.. Steps.Where(step => step is { IsChange: true, Status: StepStatus.Unknown }).Select(step => step.Name)];
        return WasOpenedBy(alert) && (unknown.Count > 0 || EndingText.FailedUnverified(this)) ? new(Id, ClosedAt ?? UpdatedAt, ChangeText.InPlace(this)) { Unknown = unknown }
            : IsDoneWith(alert) ? null : Tried;
    }

    /// <summary>Whether it acted on the alert, found it well, or was about another. Earlier fixes then no longer matter.</summary>
    private bool IsDoneWith(Alert alert) => HasActed || FoundItWell || !WasOpenedBy(alert);

    private bool FoundItWell => State == IncidentState.SelfRecovered || (State == IncidentState.NotNeeded && !WasSuppressed());

    /// <summary>Moves alerts of an ended incident to this one. The news says why, and later incidents for these alerts know it.</summary>
    /// <param name="follows">The incident whose fix did not last for them. Null if that is not the reason.</param>
    public Incident GoOnFor(Incident ended, IReadOnlyList<Alert> alerts, string? follows, string why, DateTimeOffset now) =>
        (this with { Alerts = [.. Alerts.Select(known => follows is not null && alerts.Any(known.Is) ? known with { Follows = follows } : known)] })
            .AddNews(
                $"{GoesOnNews}{ended.Id}",
                "runbook",
                $"{why} This incident has {string.Join(", ", alerts.Select(alert => alert.Name).Distinct())} from here on; "
                + "its plan may not be for that.",
                now,
                urgent: true);

    /// <summary>
    /// Takes over that an earlier fix did not last, unless the incident before acted, and what was recently tried without success. Silence
    /// is then no approval.
    /// </summary>
    private Incident FollowOn(Incident before) => this with
    {
        Follows = Follows ?? before.BrokenFixOf(Alert),
        Tried = Tried ?? (before.TriedFor(Alert) is { } tried && OpenedAt - tried.At < EarlierTry.Lately ? tried : null),
    };

    /// <summary>Alerts other than the opening one that fired after the last checks before the end.</summary>
    public IReadOnlyList<AttachedAlert> OthersUnseen() =>
        [.. Alerts.Where(known => !known.Resolved && known.LastAt > SeenAt && ReportOf(known) is { } report && !WasOpenedBy(report))];

    /// <summary>
    /// Other alerts that began after the take-over and still fire when it is closed. The person took over only what was there then.
    /// </summary>
    public IReadOnlyList<AttachedAlert> BegunSinceTakenOver() =>
        this is { State: IncidentState.TakenOver, ClosedByHand: not null }
        && Gates.LastOrDefault(gate => gate.Outcome == GateOutcome.TakenOver)?.ClosedAt is { } takenOver
            ? [.. Others.Where(other => !other.Resolved && other.Began > takenOver)]
            : [];

    /// <summary>For cards and pages.</summary>
    public IReadOnlyList<string> OtherLines()
    {
        var others = Others;

        // If there are many, one of each name comes first, so that ten similar ones do not hide a different one.
        var shown = others.Count > MaxShownOthers ? others.DistinctBy(other => other.Name).Union(others) : others;
        return
        [
            .. shown.Take(MaxShownOthers).Select(other => $"{Describe(other.Name, other.Alert)} {Status(other)}"),
            .. Lines.Of(others.Count > MaxShownOthers ? $"And {others.Count - MaxShownOthers} more." : null),
            .. UnlistedLines(),
        ];

        static string Status(AttachedAlert other) => other switch
        {
            { EndedBecause: { } why } => $"The sender ended it for the reason {Clip.To(why, 100)}, which is no all-clear.",
            { Resolved: true } => "It is over.",
            _ => "It still fires.",
        };
    }

    private static string Describe(string name, Alert? alert)
    {
        var severity = alert?.Severity is { Length: > 0 } word ? $" ({word})" : "";
        return alert?.Summary is { Length: > 0 } summary
            ? $"{name}{severity}: {Clip.To(summary, 300).TrimEnd('.')}."
            : $"{name}{severity}.";
    }

    private AttachedAlert WithReport(AttachedAlert attached, Alert alert)
    {
        if (alert.Status == AlertStatus.Resolved || attached.Is(Alert))
        {
            return attached;
        }

        var size = alert.Labels.Concat(alert.Annotations).Sum(pair => pair.Key.Length + pair.Value.Length);
        var whole = size <= MaxKeptText && (attached.IsWhole || Alerts.Count(known => known.IsWhole) < MaxKeptWhole);
        return attached with
        {
            IsWhole = whole,
            Alert = whole ? alert : new()
            {
                Source = alert.Source,
                Name = alert.Name,
                Fingerprint = alert.Fingerprint,
                Severity = alert.Severity,
                Summary = alert.Summary,
                Link = alert.Link,
            },
        };
    }

    /// <summary>The sender's word for the worst severity so far. Null if no word is known.</summary>
    [JsonIgnore]
    public string? WorstSeverity => AlertSeverity.Worst([Alert.Severity, UnlistedSeverity, .. Alerts.SelectMany(known => (string?[])[known.WorstSeverity, known.Alert?.Severity])]);

    /// <summary>Whether it is worse than everything before. People who are being asked hear it at once.</summary>
    private bool IsMoreSevere(Alert alert) =>
        AlertSeverity.RankOf(alert.Severity) < (AlertSeverity.RankOf(WorstSeverity) ?? AlertSeverity.RankOfUnknown);

    /// <summary>Whether it is worse than what was known at a rejection, or became worse while that was being carried out.</summary>
    private bool IsWorseThanSeen(Alert alert, EarlierNo no) => IsMoreSevere(alert) || GotWorseAfter(no);

    private bool GotWorseAfter(EarlierNo no) => News.Any(news => news.At > no.At && IsSeverity(news));

    /// <summary>News that nobody heard while the last question was open. Of several about severity only the last counts.</summary>
    public IReadOnlyList<IncidentNews> UrgentSinceAsked()
    {
        var asked = Gates.LastOrDefault(gate => gate.WasAsked);
        var worst = News.LastOrDefault(IsSeverity);
        return [.. News.Where(news => (news == worst || GoesOn(news))
            && !(asked is not null && (news.At < asked.OpenedAt || Reach.IsHeard(DeliveriesUnder(asked.NewsKey(news))))))];
    }

    public static bool IsSeverity(IncidentNews news) => news.Key.StartsWith(SeverityNews, StringComparison.Ordinal);

    public static bool GoesOn(IncidentNews news) => news.Key.StartsWith(GoesOnNews, StringComparison.Ordinal);

    private Incident NoteOtherAlert(Alert alert, bool moreSevere, DateTimeOffset now) => moreSevere
        ? AddNews(
            $"{SeverityNews}{AlertSeverity.RankOf(alert.Severity)}",
            alert.Source,
            $"A more severe alert on this target: {Describe(alert.Name, alert)}",
            now,
            urgent: true)
        : NoteAlert(now, alert.Source, $"Another alert on this target: {Describe(alert.Name, alert)}");

    /// <summary>The opening alert is over and others still fire. People should not decide about what is past.</summary>
    private Incident AddOpenerIsOverNews(Alert alert, DateTimeOffset now)
    {
        var firing = Alerts.Where(known => !known.Resolved).ToList();
        var (named, unnamed) = (firing.GroupBy(known => Describe(known.Name, known.Alert)).Take(3).ToList(), UnlistedFiring);
        if (State.IsFinal() || Flaps(now) || !(WasOpenedBy(alert) || News.Any(news => news.Key == OpenerIsOverNews))
            || firing.Exists(known => ReportOf(known) is { } report && WasOpenedBy(report)))
        {
            return this;
        }

        var more = firing.Count + unnamed - named.Sum(alike => alike.Count());
        return firing.Count + unnamed == 0 ? DropNews(OpenerIsOverNews) : AddNews(
            OpenerIsOverNews, alert.Source,
            string.Join(' ', (string[])[
                $"The sender says that {Alert.Name}, for which this incident was opened, is over. Still firing on this target:",
                .. named.Select(alike => alike.Count() == 1 ? alike.Key : $"{alike.Key.TrimEnd('.')} ({CountText.Format(alike.Count(), "alert")})."),
                .. Lines.Of(
                    more == 0 ? null : named.Count == 0 ? $"{CountText.Format(more, "alert")}, only counted here." : $"And {more} more.")]),
            now);
    }

    public Incident FollowUp(string next, IReadOnlyList<Alert> alerts, DateTimeOffset now)
    {
        if (FollowedBy is not null)
        {
            return this;
        }

        var names = alerts.Select(alert => alert.Name).Distinct().ToList();
        var (were, fire) = names.Count == 1 ? ("was", "fires") : ("were", "fire");
        var how = alerts.All(KnowsEndUnseen) ? $"{were} ended without an all-clear" : $"still {fire}";
        return (this with
            {
                FollowedBy = next,
                Alerts = [.. Alerts.Select(known => alerts.Any(known.Is) ? known with { HandedTo = next } : known)],
            })
            .Note(now, TimelineKind.Closed, "runbook", $"{string.Join(", ", names)} {how} on this target; incident {next} looks at it.");
    }

    public bool KnowsEndUnseen(Alert alert) => Alerts.Any(known => known.Is(alert) && known.EndedBecause is not null);

    /// <summary>An alert that ended without an all-clear sends nothing more. It stays so here, and the checks tell whether it is over.</summary>
    /// <param name="before">As it was on the incident that ended. Null if it was not there.</param>
    public Incident KeepEnd(AttachedAlert? before, DateTimeOffset now)
    {
        if (before?.EndedBecause is not { } why)
        {
            return this;
        }

        var kept = this with { Alerts = [.. Alerts.Select(known => known.Identity == before.Identity ? known with { EndedBecause = why } : known)] };
        return kept with { EndedUnseenAt = kept.HaveEnded ? now : null };
    }
}

/// <summary>Retries of an ended incident.</summary>
public sealed partial record Incident
{
    /// <summary>Null if it is not a retry.</summary>
    public string? RetryOf { get; init; }

    /// <summary>Null if it was not retried.</summary>
    public string? RetriedAs { get; init; }

    /// <param name="hasChecks">Without checks, the sender's word alone would withdraw what a person has just asked for.</param>
    public Incident TryAgain(Incident ended, bool hasChecks, string by, string reason, DateTimeOffset now) =>
        (CarryAlertsOf(ended).FollowOn(ended) with { RetryOf = ended.Id, Follows = ended.Follows, AlertResolvedAt = hasChecks ? ended.AlertResolvedAt : null })
        .Note(now, TimelineKind.Opened, by, $"{by} had incident {ended.Id} tried again: {reason}");

    /// <summary>The retry takes over. The alerts that called people about this one have to say so.</summary>
    public Incident NoteRetried(string next, string by, string reason, DateTimeOffset now) => RetriedAs is not null
        ? this
        : (SeeTo(by, $"Tried again as incident {next}.", now) with { RetriedAs = next, IsAcknowledgementUnshown = true })
            .Note(now, TimelineKind.Decision, by, $"{by} had it tried again as incident {next}: {reason}");
}
