using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Steps;
using Runbooks.Intake;
using Runbooks.SignedLinks;

namespace Runbooks.Watchdog;

/// <summary>Tells each owner once a week how their runbooks did. The shared state remembers who was told.</summary>
public sealed class WeeklyDigest(
    IIncidentStore store,
    ISharedState state,
    LoadedRunbooks loaded,
    RunHistoryStore runs,
    StepCatalog steps,
    CurrentContacts contacts,
    NotificationDispatcher messages,
    DecisionLinks links,
    IOptions<DigestOptions> options,
    TimeProvider time,
    ILogger<WeeklyDigest> logger) : IWatchdogJob
{
    private const string Key = "digest";

    private const int MaxIncidents = 10_000;

    private static readonly TimeSpan s_late = TimeSpan.FromDays(1);

    public string Name => "the weekly digest";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (Due() is not { } due || time.GetUtcNow() - due > s_late)
        {
            return;
        }

        try
        {
            var notified = await state.FindAsync<NotifiedOwners>(Key, cancellationToken);
            var owners = loaded()
                .GroupBy(runbook => OwnerOf(runbook), StringComparer.OrdinalIgnoreCase)
                .Where(owner => notified?.Week != due || !notified.Owners.Contains(owner.Key, StringComparer.OrdinalIgnoreCase))
                .ToList();
            if (owners.Count == 0)
            {
                return;
            }

            var (week, isCut) = await ReadAsync(due, cancellationToken);
            foreach (var owner in owners)
            {
                var histories = new Dictionary<string, RunHistory>(StringComparer.Ordinal);
                foreach (var runbook in owner)
                {
                    histories[runbook.Id] = await runs.ReadAsync(runbook.Id, cancellationToken);
                }

                var incidents = week.Where(incident => histories.ContainsKey(incident.RunbookId));
                var text = DigestText.Of([.. owner], [.. incidents], histories, steps, isCut);
                if (text is null || await NotifyAsync(owner.Key, text, due, cancellationToken))
                {
                    await state.ChangeAsync<NotifiedOwners>(
                        Key, known => new(due, [.. known?.Week == due ? known.Owners : [], owner.Key]), cancellationToken);
                }
            }
        }
        // Caught here, so that a failed digest pages nobody as a failed watchdog job does. The next minute tries again.
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            Log.DigestFailed(logger, failure);
        }
    }

    private DateTimeOffset? Due()
    {
        if (options.Value.On is not { } day)
        {
            return null;
        }

        var now = time.GetUtcNow();
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).AddHours(options.Value.Hour);
        var due = today.AddDays(-(((int)now.UtcDateTime.DayOfWeek - (int)day + 7) % 7));
        return due > now ? due.AddDays(-7) : due;
    }

    /// <summary>The fallback is told where the contacts do not have the owner.</summary>
    private string OwnerOf(Runbook runbook) =>
        contacts.Book.TryFind(runbook.Owner, out _) && runbook.Owner.Length > 0 ? runbook.Owner : runbook.Fallback;

    private async Task<(IReadOnlyList<IncidentSummary> Week, bool IsCut)> ReadAsync(DateTimeOffset due, CancellationToken cancellationToken)
    {
        var counted = new List<IncidentSummary>();
        await foreach (var incident in store.ListAllAsync(new IncidentQuery(Limit: 500, Since: due.AddDays(-7)), cancellationToken))
        {
            if (counted.Count == MaxIncidents)
            {
                return (counted, true);
            }

            if (incident.OpenedAt < due)
            {
                var isFromOlderVersion = incident is { SawNothing: null, State: IncidentState.NotNeeded };
                var whole = isFromOlderVersion ? await store.TryFindAsync(incident.Id, cancellationToken) : null;
                counted.Add(whole is null ? incident : IncidentSummary.Of(whole));
            }
        }

        return (counted, false);
    }

    private async Task<bool> NotifyAsync(string owner, DigestText text, DateTimeOffset due, CancellationToken cancellationToken)
    {
        var card = new Card
        {
            Kind = CardKind.Decided,
            IncidentId = Key,
            Title = text.Title,
            Severity = ImpactSeverity.Low,
            Sections = text.Sections,
            Links = [new("Incidents", links.Console(null))],
        };
        var notice = new Notice($"{Key}:{due:yyyy-MM-dd}:{owner}", [owner], _ => card);
        var deliveries = await messages.SendAsync(notice, [], expect: null, cancellationToken);
        return deliveries.Any(delivery => delivery.Reached);
    }

    private sealed record NotifiedOwners(DateTimeOffset Week, IReadOnlyList<string> Owners);
}

/// <summary>Section <c>Digest</c>: one message a week to each owner of runbooks.</summary>
public sealed class DigestOptions
{
    public const string SectionName = "Digest";

    /// <summary>The day, such as <c>Monday</c>. Without one there is no digest.</summary>
    public DayOfWeek? On { get; set; }

    /// <summary>The hour of the day, in UTC.</summary>
    [Range(0, 23)]
    public int Hour { get; set; } = 7;
}

internal sealed record DigestText(string Title, IReadOnlyList<CardSection> Sections)
{
    private const int Several = 3;

    /// <summary>Fewer incidents say nothing about a runbook.</summary>
    private const int Enough = 3;
    private const int EnoughToTrust = 5;
    private const int MostLines = 10;

    /// <param name="isCut">There were more incidents than <paramref name="week"/> has.</param>
    /// <returns>Null for a week without incidents: nobody needs a message about it.</returns>
    public static DigestText? Of(
        IReadOnlyList<Runbook> runbooks,
        IReadOnlyList<IncidentSummary> week,
        IReadOnlyDictionary<string, RunHistory> histories,
        StepCatalog steps,
        bool isCut)
    {
        if (week.Count == 0)
        {
            return null;
        }

        var real = week.Where(incident => !incident.IsDryRun).ToList();
        var ended = real.Where(incident => incident.State.IsFinal()).ToList();
        var cut = isCut ? "There were more incidents than are counted here; the first days of the week lack some." : null;
        var byRunbook = week.GroupBy(incident => incident.RunbookId).OrderByDescending(group => group.Count());
        var byTarget = real
            .GroupBy(incident => (incident.RunbookId, Key: incident.TargetKey ?? incident.Target))
            .Where(group => group.Count() >= Several)
            .OrderByDescending(group => group.Count());
        var suggestions = runbooks
            .OrderBy(runbook => runbook.Id, StringComparer.Ordinal)
            .SelectMany(runbook => Suggestions(
                runbook,
                [.. ended.Where(incident => incident.RunbookId == runbook.Id)],
                histories.GetValueOrDefault(runbook.Id) ?? new(),
                steps));
        return new(
            $"Last week: {CountText.Format(real.Count, "incident")}, {ended.Count(incident => incident.IsFixed)} resolved",
            [
                new("In short", Lines.Of([.. Summary(real, ended, rehearsed: week.Count - real.Count), cut])),
                .. Section("By runbook", byRunbook.Select(group => Line(group.Key, [.. group]))),
                .. Section("Targets with several incidents", byTarget.Select(group =>
                    $"{IncidentText.Target(group.First().Target)}: {group.Count()} incidents ({group.Key.RunbookId}). What is its cause?")),
                .. Section("Suggestions", suggestions),
            ]);
    }

    private static IReadOnlyList<string> Summary(List<IncidentSummary> real, List<IncidentSummary> ended, int rehearsed)
    {
        var told = ended.Count(IsTold);
        var held = ended.Count(incident => incident.WasSuppressed);
        var open = real.Count - ended.Count;
        return Lines.Of(
            Resolved(ended, told + held),
            told > 0 ? $"{told} only told people; what came of {(told == 1 ? "it" : "them")} is not known here." : null,
            held > 0
                ? $"{held} {CountText.Were(held)} held back by a maintenance window or a limit: nothing was done about {(held == 1 ? "it" : "them")}."
                : null,
            open > 0 ? $"{open} {CountText.Are(open)} still open." : null,
            rehearsed > 0
                ? $"{CountText.Format(rehearsed, "dry run")}: nothing was touched, so {(rehearsed == 1 ? "it does" : "they do")} not count here."
                : null);
    }

    private static string? Resolved(List<IncidentSummary> ended, int toldOrHeld)
    {
        var acted = ended.Where(Counts).ToList();
        if (acted.Count == 0)
        {
            return ended.Count > 0 && toldOrHeld == 0 ? "None of those that have ended had to be dealt with." : null;
        }

        var isFixed = acted.Count(incident => incident.IsFixed);
        return $"Resolved: {isFixed} of {acted.Count} that had to be dealt with ({100 * isFixed / acted.Count} %){Median(acted)}.";
    }

    private static string Line(string runbook, IReadOnlyList<IncidentSummary> incidents)
    {
        var states = incidents
            .GroupBy(incident => incident.IsDryRun ? "Dry run" : incident.Headline ?? IncidentText.Of(incident.State))
            .OrderByDescending(group => group.Count())
            .Select(group => $"{group.Count()} {group.Key.ToLowerInvariant()}");
        return $"{runbook}: {CountText.Format(incidents.Count, "incident")}: {string.Join("; ", states)}{Median(incidents)}";
    }

    private static string Median(IEnumerable<IncidentSummary> incidents)
    {
        var times = incidents.Where(incident => incident.IsFixed).Select(incident => incident.EndedAt - incident.OpenedAt).OfType<TimeSpan>().Order().ToList();
        if (times.Count == 0)
        {
            return "";
        }

        var which = times.Count == 1 ? "the resolved one" : "half of the resolved ones";
        var seconds = Math.Max(1, Math.Round(times[times.Count / 2].TotalSeconds));
        return $"; {which} within {DurationText.Format(TimeSpan.FromSeconds(seconds))}";
    }

    private static IReadOnlyList<string> Suggestions(Runbook runbook, IReadOnlyList<IncidentSummary> ended, RunHistory history, StepCatalog steps)
    {
        var counted = ended.Count(Counts);
        var expired = ended.Count(incident => incident.State == IncidentState.Expired);
        var unseen = ended.Count(incident => incident.SawNothing == true);

        // The end of an incident does not say whether the runbook acted and whether that helped; the history of its runs does.
        var runs = history.Runs.Where(run => ended.Any(incident => incident.Id == run.Incident)).ToList();
        var judged = runs.Count(run => run.Outcome != RunOutcome.Unverified);
        var verified = runs.Count(run => run.Outcome == RunOutcome.Verified);
        var neverHelped = judged >= Enough && runs.Count(run => run.Outcome == RunOutcome.Ineffective) == judged;
        var alwaysHelped = counted >= EnoughToTrust && verified == counted;
        return Lines.Of(
            neverHelped
                ? $"{runbook.Id} acted in {judged} incidents that can be judged, and helped in none: is it the right cure?"
                : null,
            expired >= Enough && expired * 2 >= counted
                ? $"{runbook.Id} did not get all the answers it needed in time {expired} times: ask somebody else, or escalate sooner."
                : null,
            unseen >= Enough
                ? $"{runbook.Id} saw nothing to do {unseen} times although its alert had fired: does the alert fire too early, or do the checks not see what it sees?"
                : null,
            runbook.Mitigation.Approval is not null && alwaysHelped && CouldHealItself(runbook, steps)
                ? $"{runbook.Id} asked first and helped {verified} times of {counted}: it may be ready to heal by itself, within limits."
                : null);
    }

    /// <summary>The same conditions as the rules have for runbooks that ask nobody.</summary>
    private static bool CouldHealItself(Runbook runbook, StepCatalog steps) =>
        runbook.Diagnosis.Count > 0
        && runbook.AllSteps().All(step => steps.FindAction(step.Step.Do) is { Repeatable: true, IsManual: false } action && !action.AlwaysAsks(step.Step.With));

    /// <summary>Somebody or something had to deal with it, as far as is known. Of a runbook that only told people that is not known.</summary>
    private static bool Counts(IncidentSummary incident) =>
        incident.State is IncidentState.Resolved
            or IncidentState.Failed
            or IncidentState.Expired
            or IncidentState.Rejected
            or IncidentState.TakenOver
            or IncidentState.Cancelled
        && !IsTold(incident);

    private static bool IsTold(IncidentSummary incident) => incident is { State: IncidentState.Resolved, Headline: EndingText.Told };

    private static IEnumerable<CardSection> Section(string heading, IEnumerable<string> lines)
    {
        List<string> texts = [.. lines];
        return CardSection.If(heading, texts.Count <= MostLines ? texts : [.. texts.Take(MostLines), $"and {texts.Count - MostLines} more"]);
    }
}
