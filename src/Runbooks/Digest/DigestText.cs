using Runbooks.Catalog.Steps;

namespace Runbooks.Digest;

/// <summary>How the runbooks of one owner did in a week, in words.</summary>
internal sealed record DigestText(string Title, IReadOnlyList<CardSection> Sections)
{
    /// <summary>A target that had as many is named.</summary>
    private const int Several = 3;

    /// <summary>Fewer say nothing about a runbook.</summary>
    private const int Enough = 3;
    private const int EnoughToTrust = 5;
    private const int MostLines = 10;

    /// <param name="isCut">There were more incidents than <paramref name="week"/> has.</param>
    /// <returns>Null for a week without incidents: nobody needs a message about it.</returns>
    public static DigestText? Of(IReadOnlyList<Runbook> runbooks, IReadOnlyList<IncidentSummary> week, IReadOnlyDictionary<string, RunHistory> histories, StepCatalog steps, bool isCut)
    {
        if (week.Count == 0)
        {
            return null;
        }

        var real = week.Where(incident => !incident.IsDryRun).ToList();
        var ended = real.Where(incident => incident.State.IsFinal()).ToList();
        return new(
            $"Last week: {CountText.Format(real.Count, "incident")}, {ended.Count(incident => incident.IsFixed)} resolved",
            [
                new("In short", [.. Summary(real, ended, rehearsed: week.Count - real.Count), .. isCut ? ["There were more incidents than are counted here; the first days of the week lack some."] : Array.Empty<string>()]),
                .. Section("By runbook", week.GroupBy(incident => incident.RunbookId).OrderByDescending(group => group.Count()).Select(group => Line(group.Key, [.. group]))),
                .. Section("Targets with several incidents", real.GroupBy(incident => (incident.RunbookId, Key: incident.TargetKey ?? incident.Target)).Where(group => group.Count() >= Several).OrderByDescending(group => group.Count())
                    .Select(group => $"{IncidentText.Target(group.First().Target)}: {group.Count()} incidents ({group.Key.RunbookId}). What is its cause?")),
                .. Section("Suggestions", runbooks.OrderBy(runbook => runbook.Id, StringComparer.Ordinal).SelectMany(runbook => Suggestions(runbook, [.. ended.Where(incident => incident.RunbookId == runbook.Id)], histories.GetValueOrDefault(runbook.Id) ?? new(), steps))),
            ]);
    }

    private static IEnumerable<string> Summary(List<IncidentSummary> real, List<IncidentSummary> ended, int rehearsed)
    {
        var (acted, told, held) = (ended.Where(Counts).ToList(), ended.Count(IsTold), ended.Count(incident => incident.WasSuppressed));
        var open = real.Count - ended.Count;
        return
        [
            .. acted.Count > 0 ? [string.Create(CultureInfo.InvariantCulture, $"Resolved: {acted.Count(incident => incident.IsFixed)} of {acted.Count} that had to be dealt with ({100 * acted.Count(incident => incident.IsFixed) / acted.Count} %){Median(acted)}.")]
                : ended.Count > 0 && told + held == 0 ? ["None of those that have ended had to be dealt with."]
                : Array.Empty<string>(),
            .. told > 0 ? [$"{told} only told people; what came of {(told == 1 ? "it" : "them")} is not known here."] : Array.Empty<string>(),
            .. held > 0 ? [$"{held} {(held == 1 ? "was" : "were")} held back by a maintenance window or a limit: nothing was done about {(held == 1 ? "it" : "them")}."] : Array.Empty<string>(),
            .. open > 0 ? [$"{open} {(open == 1 ? "is" : "are")} still open."] : Array.Empty<string>(),
            .. rehearsed > 0 ? [$"{CountText.Format(rehearsed, "dry run")}: nothing was touched, so {(rehearsed == 1 ? "it does" : "they do")} not count here."] : Array.Empty<string>(),
        ];
    }

    private static string Line(string runbook, IReadOnlyList<IncidentSummary> incidents)
    {
        var states = incidents.GroupBy(incident => incident.IsDryRun ? "Dry run" : incident.Headline ?? IncidentText.Of(incident.State))
            .OrderByDescending(group => group.Count()).Select(group => $"{group.Count()} {group.Key.ToLowerInvariant()}");
        return $"{runbook}: {CountText.Format(incidents.Count, "incident")}: {string.Join("; ", states)}{Median(incidents)}";
    }

    private static string Median(IEnumerable<IncidentSummary> incidents)
    {
        var times = incidents.Where(incident => incident.IsFixed).Select(incident => incident.EndedAt - incident.OpenedAt).OfType<TimeSpan>().Order().ToList();
        return times.Count == 0 ? "" : $"; {(times.Count == 1 ? "the resolved one" : "half of the resolved ones")} within {DurationText.Format(TimeSpan.FromSeconds(Math.Max(1, Math.Round(times[times.Count / 2].TotalSeconds))))}";
    }

    private static IEnumerable<string> Suggestions(Runbook runbook, IReadOnlyList<IncidentSummary> ended, RunHistory history, StepCatalog steps)
    {
        var (counted, expired) = (ended.Where(Counts).ToList(), ended.Count(incident => incident.State == IncidentState.Expired));

        // Whether it acted and whether that helped stands in the history of its runs: the end of an incident does not say it.
        var runs = history.Runs.Where(run => ended.Any(incident => incident.Id == run.Incident)).ToList();
        var (judged, verified) = (runs.Count(run => run.Outcome != RunOutcome.Unverified), runs.Count(run => run.Outcome == RunOutcome.Verified));
        return
        [
            .. judged >= Enough && runs.Count(run => run.Outcome == RunOutcome.Ineffective) == judged
                ? [$"{runbook.Id} acted in {judged} incidents that can be judged, and helped in none: is it the right cure?"]
                : Array.Empty<string>(),
            .. expired >= Enough && expired * 2 >= counted.Count
                ? [$"{runbook.Id} did not get all the answers it needed in time {expired} times: ask somebody else, or escalate sooner."]
                : Array.Empty<string>(),
            .. ended.Count(incident => incident.SawNothing == true) is >= Enough and var unseen
                ? [$"{runbook.Id} saw nothing to do {unseen} times although its alert had fired: does the alert fire too early, or do the checks not see what it sees?"]
                : Array.Empty<string>(),
            .. runbook.Mitigation.Approval is not null && counted.Count >= EnoughToTrust && verified == counted.Count && CouldHealItself(runbook, steps)
                ? [$"{runbook.Id} asked first and helped {verified} times of {counted.Count}: it may be ready to heal by itself, within limits."]
                : Array.Empty<string>(),
        ];
    }

    /// <summary>As the rules for runbooks that ask nobody have it.</summary>
    private static bool CouldHealItself(Runbook runbook, StepCatalog steps) =>
        runbook.Diagnosis.Count > 0
        && runbook.AllSteps().All(one => steps.FindAction(one.Step.Do) is { Repeatable: true, IsManual: false } action && !action.AlwaysAsks(one.Step.With));

    /// <summary>Those that somebody or something had to deal with, as far as is known: what only told does not say.</summary>
    private static bool Counts(IncidentSummary incident) =>
        incident.State is IncidentState.Resolved or IncidentState.Failed or IncidentState.Expired or IncidentState.Rejected or IncidentState.TakenOver or IncidentState.Cancelled && !IsTold(incident);

    private static bool IsTold(IncidentSummary incident) => incident is { State: IncidentState.Resolved, Headline: EndingText.Told };

    private static IEnumerable<CardSection> Section(string heading, IEnumerable<string> lines)
    {
        List<string> all = [.. lines];
        return CardSection.If(heading, all.Count <= MostLines ? all : [.. all.Take(MostLines), $"and {all.Count - MostLines} more"]);
    }
}
