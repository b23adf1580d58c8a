using Runbooks.Catalog.Steps;

namespace Runbooks.Watchdog;

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
