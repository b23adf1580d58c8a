namespace Runbooks.Model.Incidents;

/// <summary>Alerts beside the one that opened the incident: on record with what they say, shown, and looked at when it ends.</summary>
public sealed partial record Incident
{
    /// <summary>Other alerts that are kept whole; of more only name, severity and summary are.</summary>
    public const int MaxKeptWhole = 10;

    /// <summary>Characters of labels and annotations up to which another alert is kept whole.</summary>
    public const int MaxKeptText = 16_000;

    private const int MaxShownOthers = 10;

    private const string SeverityNews = "severity:";

    private const string GoesOnNews = "goes-on:";

    private const string OpenerIsOverNews = "opener-is-over";

    /// <summary>The incident that looks at what still fired when this one ended; null when there is none.</summary>
    public string? FollowedBy { get; init; }

    /// <summary>The incident at whose end this one was opened, for another alert that still fired; null for any other.</summary>
    public string? FollowUpOf { get; init; }

    /// <summary>What else is reported on the target.</summary>
    [JsonIgnore]
    public IReadOnlyList<AttachedAlert> Others => [.. Alerts.Where(alert => !alert.Is(Alert))];

    /// <summary>The fix that did not hold for this alert, where this incident knows of that, and neither did anything about the alert nor found it well; null else.</summary>
    public string? BrokenFixOf(Alert alert) => Alerts.FirstOrDefault(known => known.Is(alert))?.Follows
        ?? (IsDoneWith(alert) ? null : Follows);

    /// <summary>The incident that tried the same for this alert and failed, or left open whether it happened: this one, or an earlier one that it knows of; null where there is none.</summary>
    private EarlierTry? TriedFor(Alert alert)
    {
        List<string> unknown = [.. Steps.Where(step => step is { IsChange: true, Status: StepStatus.Unknown }).Select(step => step.Name)];
        return WasOpenedBy(alert) && (unknown.Count > 0 || EndingText.FailedUnverified(this)) ? new(Id, ClosedAt ?? UpdatedAt, ChangeText.InPlace(this)) { Unknown = unknown }
            : IsDoneWith(alert) ? null : Tried;
    }

    /// <summary>Whether it did something about the alert, found it well, or was about another: then what it knows of earlier fixes no longer matters.</summary>
    private bool IsDoneWith(Alert alert) => HasActed || FoundItWell || !WasOpenedBy(alert);

    private bool FoundItWell => State == IncidentState.SelfRecovered || (State == IncidentState.NotNeeded && !WasSuppressed());

    /// <summary>Alerts of an incident that ended belong to this one, which was opened for others: whoever has it hears why, and what is opened for them later knows of it.</summary>
    /// <param name="follows">The incident whose fix did not hold for them; null where that is not why.</param>
    public Incident GoOnFor(Incident ended, IReadOnlyList<Alert> alerts, string? follows, string why, DateTimeOffset now) =>
        (this with { Alerts = [.. Alerts.Select(known => follows is not null && alerts.Any(known.Is) ? known with { Follows = follows } : known)] })
        .AddNews($"{GoesOnNews}{ended.Id}", "runbook", $"{why} This incident has {string.Join(", ", alerts.Select(alert => alert.Name).Distinct())} from here on; its plan may not be for that.", now, urgent: true);

    /// <summary>
    /// This one, just opened, carries over that an earlier fix did not hold, if the incident before did nothing about it, and that the same was
    /// tried lately and not seen to help: silence is no yes to the same again.
    /// </summary>
    private Incident FollowOn(Incident before) => this with
    {
        Follows = Follows ?? before.BrokenFixOf(Alert),
        Tried = Tried ?? (before.TriedFor(Alert) is { } tried && OpenedAt - tried.At < EarlierTry.Lately ? tried : null),
    };

    /// <summary>What fires, or fires on, since its checks had answered last before the end, and is not what it was opened for.</summary>
    public IReadOnlyList<AttachedAlert> OthersUnseen() =>
        [.. Alerts.Where(known => !known.Resolved && known.LastAt > SeenAt && ReportOf(known) is { } report && !WasOpenedBy(report))];

    /// <summary>What else began after a person had taken it over, and fires when they close it: they took over what was there then.</summary>
    public IReadOnlyList<AttachedAlert> BegunSinceTakenOver() =>
        this is { State: IncidentState.TakenOver, ClosedByHand: not null } && Gates.LastOrDefault(gate => gate.Outcome == GateOutcome.TakenOver)?.ClosedAt is { } takenOver
            ? [.. Others.Where(other => !other.Resolved && other.Began > takenOver)]
            : [];

    /// <summary>The other alerts in words, for cards and pages.</summary>
    public IReadOnlyList<string> OtherLines()
    {
        var others = Others;

        // Of many one of each name comes first: what is another thing must not be hidden behind ten that are alike.
        var shown = others.Count > MaxShownOthers ? others.DistinctBy(other => other.Name).Union(others) : others;
        var lines = shown.Take(MaxShownOthers).Select(other => $"{Describe(other.Name, other.Alert)} {(other switch
        {
            { EndedBecause: { } why } => $"The sender ended it for the reason {Clip.To(why, 100)}, which is no all-clear.",
            { Resolved: true } => "It is over.",
            _ => "It still fires.",
        })}").ToList();
        return [.. lines, .. others.Count > MaxShownOthers ? [$"And {others.Count - MaxShownOthers} more."] : Array.Empty<string>(), .. UnlistedLines()];
    }

    /// <summary>How an alert that is news reads: name, severity, summary.</summary>
    private static string Describe(string name, Alert? alert)
    {
        var severity = alert?.Severity is { Length: > 0 } word ? $" ({word})" : "";
        return alert?.Summary is { Length: > 0 } summary ? $"{name}{severity}: {Clip.To(summary, 300).TrimEnd('.')}." : $"{name}{severity}.";
    }

    /// <summary>Another alert as it is kept.</summary>
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
            Alert = whole ? alert : new() { Source = alert.Source, Name = alert.Name, Fingerprint = alert.Fingerprint, Severity = alert.Severity, Summary = alert.Summary, Link = alert.Link },
        };
    }

    /// <summary>The sender's word for the worst that was reported; null where no word is known.</summary>
    [JsonIgnore]
    public string? WorstSeverity => AlertSeverity.Worst([Alert.Severity, UnlistedSeverity, .. Alerts.SelectMany(known => (string?[])[known.WorstSeverity, known.Alert?.Severity])]);

    /// <summary>Worse than everything that was reported before: whoever is being asked hears it at once.</summary>
    private bool IsMoreSevere(Alert alert) =>
        AlertSeverity.RankOf(alert.Severity) < (AlertSeverity.RankOf(WorstSeverity) ?? AlertSeverity.RankOfUnknown);

    /// <summary>Worse than whoever said no could know; what became worse while their no was being carried out is not meant by it either.</summary>
    private bool IsWorseThanSeen(Alert alert, EarlierNo no) => IsMoreSevere(alert) || GotWorseAfter(no);

    private bool GotWorseAfter(EarlierNo no) => News.Any(news => news.At > no.At && IsSeverity(news));

    /// <summary>
    /// The news that something worse was reported, or that another incident on the target goes on as this one, after the last question was
    /// opened, and that nobody heard while that was open. The last about how bad it is stands for those before it.
    /// </summary>
    public IReadOnlyList<IncidentNews> UrgentSinceAsked()
    {
        var asked = Gates.LastOrDefault(gate => gate.WasAsked);
        var worst = News.LastOrDefault(IsSeverity);
        return [.. News.Where(news => (news == worst || GoesOn(news))
            && !(asked is not null && (news.At < asked.OpenedAt || Reach.IsHeard(DeliveriesUnder(asked.NewsKey(news))))))];
    }

    public static bool IsSeverity(IncidentNews news) => news.Key.StartsWith(SeverityNews, StringComparison.Ordinal);

    /// <summary>Whether another incident on the target goes on as this one, which is no matter of how severe it is.</summary>
    public static bool GoesOn(IncidentNews news) => news.Key.StartsWith(GoesOnNews, StringComparison.Ordinal);

    private Incident NoteOtherAlert(Alert alert, bool moreSevere, DateTimeOffset now) => moreSevere
        ? AddNews($"{SeverityNews}{AlertSeverity.RankOf(alert.Severity)}", alert.Source, $"A more severe alert on this target: {Describe(alert.Name, alert)}", now, urgent: true)
        : NoteAlert(now, alert.Source, $"Another alert on this target: {Describe(alert.Name, alert)}");

    /// <summary>What is asked about is over and something else fires on: whoever has to decide must not decide for what was.</summary>
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
                .. more == 0 ? Array.Empty<string>() : [named.Count == 0 ? $"{CountText.Format(more, "alert")}, only counted here." : $"And {more} more."]]),
            now);
    }

    /// <summary>What still fired is looked at in an incident of its own.</summary>
    public Incident FollowUp(string next, IReadOnlyList<Alert> alerts, DateTimeOffset now)
    {
        if (FollowedBy is not null)
        {
            return this;
        }

        var names = alerts.Select(alert => alert.Name).Distinct().ToList();
        var (were, fire) = names.Count == 1 ? ("was", "fires") : ("were", "fire");
        var how = alerts.All(KnowsEndUnseen) ? $"{were} ended without an all-clear" : $"still {fire}";
        return (this with { FollowedBy = next, Alerts = [.. Alerts.Select(known => alerts.Any(known.Is) ? known with { HandedTo = next } : known)] }).Note(now, TimelineKind.Closed, "runbook", $"{string.Join(", ", names)} {how} on this target; incident {next} looks at it.");
    }

    /// <summary>Whether the sender has ended this alert without an all-clear.</summary>
    public bool KnowsEndUnseen(Alert alert) => Alerts.Any(known => known.Is(alert) && known.EndedBecause is not null);

    /// <summary>What its sender has ended already, without an all-clear, sends nothing more: it goes on as that, and the checks tell whether it is over.</summary>
    /// <param name="before">The alert as it was on the incident that ended; null when it was not there.</param>
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

/// <summary>An ended incident that a person has tried again, as another one.</summary>
public sealed partial record Incident
{
    /// <summary>The ended incident that a person had tried again as this one; null for any other.</summary>
    public string? RetryOf { get; init; }

    /// <summary>The incident as which a person had it tried again; null for any other.</summary>
    public string? RetriedAs { get; init; }

    /// <summary>This one, just opened, tries another again: its alerts belong to this one from now on, and what is known of their end.</summary>
    /// <param name="hasChecks">Where there are none, the sender's word alone would withdraw what a person has just asked for.</param>
    public Incident TryAgain(Incident ended, bool hasChecks, string by, string reason, DateTimeOffset now) =>
        (CarryAlertsOf(ended).FollowOn(ended) with { RetryOf = ended.Id, Follows = ended.Follows, AlertResolvedAt = hasChecks ? ended.AlertResolvedAt : null })
        .Note(now, TimelineKind.Opened, by, $"{by} had incident {ended.Id} tried again: {reason}");

    /// <summary>The incident that tries it again has the matter from here on, and what called people about this one has to hear that.</summary>
    public Incident NoteRetried(string next, string by, string reason, DateTimeOffset now) => RetriedAs is not null
        ? this
        : (SeeTo(by, $"Tried again as incident {next}.", now) with { RetriedAs = next, IsAcknowledgementUnshown = true }).Note(now, TimelineKind.Decision, by, $"{by} had it tried again as incident {next}: {reason}");
}
