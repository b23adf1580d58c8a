using Runbooks.SignedLinks;

namespace Runbooks.Notifications.Storms;

public sealed class StormCards(DecisionLinks links, IncidentCards alone)
{
    private const int MaxNews = 10;

    public Card Question(Storm storm, StormMessage message, IReadOnlyDictionary<string, Runbook> runbooks)
    {
        // The worst first: a channel shows the first lines, and a locked phone the title.
        IReadOnlyList<Incident> asking = [.. message.About.OrderByDescending(incident => runbooks[incident.RunbookId].Impact.Severity)];
        var kind = message.Newcomers > 0 ? CardKind.ApprovalRequest
            : (message.Before is null || message.HasNewOnes) && !message.IsNextShift ? CardKind.Escalation
            : CardKind.Reminder;
        if (asking is [var only])
        {
            return alone.Approval(only, runbooks[only.RunbookId], only.OpenGate!, message.Recipient.Name, kind);
        }

        var groups = asking
            .GroupBy(incident => incident.RunbookId)
            .Select(group => (Runbook: runbooks[group.Key], Incidents: group.ToList()))
            .ToList();
        var parts = StormPart.Of(asking, runbooks);
        var byHand = asking.Count(incident => incident.OpenGate!.Task is not null);
        return new Card
        {
            Kind = kind,
            IncidentId = storm.Id,
            Title = Title(message, kind, Of(groups.Select(group => group.Runbook))) + ByHand(byHand, asking.Count)
                + (groups is [var worst, var next, ..] && worst.Runbook.Impact.Severity > next.Runbook.Impact.Severity ? $"; worst: {worst.Runbook.Title}" : ""),
            Severity = groups.Max(group => group.Runbook.Impact.Severity),
            DryRun = asking.All(incident => incident.Mode == RunMode.DryRun),
            CountsPeople = asking.Any(incident => incident.OpenGate!.CountsPeople),
            Sections =
            [
                new("What broke", [.. groups.SelectMany(group => WhatBroke(group.Runbook, group.Incidents.Count))]),
                .. parts.Select(part => new CardSection(HeadingOf("Targets", part), StormText.Targets(part.Incidents))),
                .. News(asking),
                .. OnCall(asking),
                .. CardSection.If("Why it is asked now", StormText.Once(asking, gate => GateText.WhyAgain(gate)), isNeeded: true),
                .. CardSection.If("Warning", StormText.Once(asking, gate => gate.AllWarnings), isNeeded: true),
                .. CardSection.If("How it went before", StormText.Once(asking, gate => gate.TrackRecord)),
                .. parts.Select(part => new CardSection(HeadingOf(part.StepsHeading, part), Steps(part)) { IsNeeded = true }),
                .. CardSection.If("How to undo it", HowToUndo(parts, groups.Count == 1)),
                .. CardSection.If("Who has to approve", WhoApproves(groups), isNeeded: true),
                new("If nobody answers", IfNobodyAnswers(groups)) { IsNeeded = true },
            ],
            Links = [LinkToAll(storm, message, areByHand: byHand == asking.Count), IncidentsLink(asking)],
        };

        string HeadingOf(string heading, StormPart part) => parts.Count == 1
            ? heading
            : $"{heading}: {part.Name(groups.Count == 1)} ({CountText.Format(part.Incidents.Count, "target")})";
    }

    public Card Holding(Storm storm, IReadOnlyList<StormNews> news)
    {
        if (news is [var only])
        {
            return alone.Holding(only.Incident, only.Runbook, Lease.Of(only.Incident, only.Runbook)!);
        }

        var groups = news
            .GroupBy(item => item.Incident.RunbookId)
            .Select(group => (group.First().Runbook, Held: group.Select(item => (item.Incident, Lease: Lease.Of(item.Incident, item.Runbook)!)).ToList()))
            .ToList();
        return Base(storm, news, CardKind.Decided, $"{news.Count} temporary fixes{OfAll(news)} are in place") with
        {
            Sections = [.. groups.SelectMany(group => HoldingSections(group.Runbook, group.Held, groups.Count))],
        };
    }

    private static CardSection[] HoldingSections(Runbook runbook, List<(Incident Incident, Lease Lease)> held, int groups)
    {
        var (example, lease) = held[0];
        var paged = GateText.Clock(held.Min(fix => fix.Lease.Until), held.Min(fix => fix.Lease.Since));
        return
        [
            new(Heading("What is in place", runbook, groups), Lines.Of([.. lease.Held, held.Count == 1 ? null : $"(As on {IncidentText.Target(example.Target)}.)"])),
            new(Heading("Targets", runbook, groups), StormText.Targets(held.Select(fix => fix.Incident))),
            new(
                Heading("What ends it", runbook, groups),
                [
                    lease.WhatEndsIt,
                    $"From {paged} on a person is paged where that has not happened; each stays until it is taken back. "
                    + "It can be taken back at any time from its incident.",
                ]),
        ];
    }

    public Card Ended(Storm storm, IReadOnlyList<StormNews> news)
    {
        IReadOnlyList<Incident> incidents = [.. news.OrderByDescending(item => item.Runbook.Impact.Severity).Select(item => item.Incident)];
        var unsolved = incidents.Where(IsUnsolved).ToList();
        var unseen = unsolved.Where(CallsForAPerson).ToList();
        var left = incidents.Except(unsolved).Where(incident => incident.NeedsPerson).ToList();
        var counts = incidents
            .GroupBy(incident => (incident.State, Headline: EndingText.Headline(incident)))
            .OrderBy(group => group.Key)
            .Select(group => $"{group.Count()} × {group.Key.Headline}");
        var kind = unseen.Count > 0 ? CardKind.Page
            : incidents.Any(incident => incident.State == IncidentState.TakenOver) ? CardKind.Decided
            : CardKind.Closed;
        var title = unseen.Count > 0 ? UnsolvedTitle(unsolved.Count, incidents.Count, OfAll(news)) : EndedTitle(incidents, left.Count, OfAll(news));
        var whatToDo = NextSteps(unseen, news.Max(item => item.Incident.UpdatedAt));
        return Base(storm, news, kind, title) with
        {
            IsEnd = true,
            IsSeenTo = kind == CardKind.Decided,
            Sections =
            [
                new("How they ended", [.. counts]),
                .. Impacts(news.Where(item => IsUnsolved(item.Incident) && item.Incident.ClosedByHand is null)),
                .. CardSection.If("Not solved", unsolved.Select(incident => Line(incident, $"{incident.Reason ?? EndingText.Headline(incident)}{SeenTo(incident)}"))),
                .. CardSection.If(
                    "What to do now",
                    Lines.Of([.. whatToDo, incidents.Any(incident => incident.IsOwnedByResponder()) ? NextStepText.CloseEach : null]),
                    isNeeded: true),
                .. CardSection.If(
                    "Not passing when asked last",
                    incidents.Where(incident => EndingText.NotPassing(incident) is not null).Select(incident => Line(incident, incident.Reason))),
                .. CardSection.If("Left to a person", left.Select(incident => Line(incident, incident.Attention!.Why))),
                .. CardSection.If("Targets", StormText.Targets(incidents.Except(unsolved).Except(left))),
            ],
        };
    }

    private static string UnsolvedTitle(int unsolved, int incidents, string ofAll)
    {
        var which = incidents == 1 ? "1 incident" : $"{unsolved} of {incidents} incidents";
        return $"A person is needed: {which}{ofAll} {CountText.Were(unsolved)} not solved";
    }

    private static string EndedTitle(IReadOnlyList<Incident> incidents, int left, string ofAll)
    {
        var rest = left > 0 ? $", {left} with something left to a person" : "";
        return $"{CountText.Format(incidents.Count, "incident")}{ofAll} {CountText.Have(incidents.Count)} {End(incidents)}{rest}";
    }

    public Card Report(Storm storm, IReadOnlyList<StormNews> news)
    {
        if (news is [var only])
        {
            return alone.Report(only.Incident, only.Runbook);
        }

        var unsolved = news.Count(item => IsUnsolved(item.Incident));
        var rest = unsolved > 0 ? $", {unsolved} of them not solved" : "";
        return Ended(storm, news) with
        {
            IsEnd = false,
            Kind = CardKind.Decided,
            Title = $"Report: {news.Count} incidents{OfAll(news)} have {End([.. news.Select(item => item.Incident)])}{rest}",
        };
    }

    /// <summary>A person has to look at these incidents while the automation goes on.</summary>
    public Card Page(Storm storm, IReadOnlyList<StormNews> news, DateTimeOffset now)
    {
        if (news is [var only])
        {
            return alone.Page(only.Incident, only.Runbook, only.Message, now);
        }

        var incidents = news.Select(item => item.Incident).DistinctBy(incident => incident.Id).ToList();
        var messages = news.GroupBy(item => item.Message).OrderByDescending(same => same.Count()).ToList();
        return Base(storm, news, CardKind.Page, $"A person is needed: {CountText.Format(incidents.Count, "incident")}{OfAll(news)}") with
        {
            Sections =
            [
                new("What happened", [.. messages.Select(same => $"{StormText.Who(same.Select(item => item.Incident))}: {same.Key}")]) { IsNeeded = true },
                .. messages.Where(same => same.Count() > 1).Select(same => new CardSection(
                    messages.Count == 1 ? "Targets" : $"Targets: {Clip.To(same.Key, 80)}",
                    StormText.Targets(same.Select(item => item.Incident)))),
                .. Impacts(news),
                new("What to do now", NextSteps(incidents, now)) { IsNeeded = true },
            ],
        };
    }

    /// <summary>For every message that asked, once nothing of it can be answered but not everything has ended.</summary>
    public Card Answered(Storm storm) => Over(storm) with { Kind = CardKind.Decided, Title = "None of these questions is open now" };

    /// <summary>For every message that asked, once the storm is over.</summary>
    public Card Over(Storm storm) => new()
    {
        Kind = CardKind.Closed,
        IncidentId = storm.Id,
        Title = "These questions are closed",
        Links = [new("Incidents", links.Console(null))],
    };

    public static bool IsUnsolved(Incident incident) => incident.State is IncidentState.Failed or IncidentState.Expired;

    public static bool CallsForAPerson(Incident incident) => IsUnsolved(incident) && incident.NeedsPerson;

    /// <summary>Empty where somebody closed it, since the reason says so.</summary>
    private static string SeenTo(Incident incident) => incident switch
    {
        { ClosedByHand: not null } => "",
        { RetriedAs: { } next } => $" Tried again as incident {next}.",
        { Attention.AcknowledgedBy: { } by } => $" {by} sees to it.",
        _ => "",
    };

    private static string Title(StormMessage message, CardKind kind, string of)
    {
        var count = message.About.Count;
        return kind switch
        {
            CardKind.Reminder => $"Still waiting: {count} incidents{of} ask you at once",
            CardKind.Escalation => $"Escalated: {count} incidents{of} ask you at once",
            _ when message.Before is not null && message.Newcomers < count => $"{message.Newcomers} more: {count} incidents{of} ask you at once",
            _ => $"{count} incidents{of} ask you at once",
        };
    }

    private static string ByHand(int count, int all) =>
        count == 0 ? "" : count == all ? ", to do something by hand" : $", {count} of them to do something by hand";

    private static string[] WhatBroke(Runbook runbook, int targets) =>
        [$"{runbook.Title} on {CountText.Format(targets, "target")}. {runbook.Impact.Users}".Trim(), runbook.Impact.Data];

    private static IEnumerable<CardSection> Impacts(IEnumerable<StormNews> news) => news
        .OrderByDescending(item => item.Runbook.Impact.Severity)
        .GroupBy(item => EndingText.IsFixInPlace(item.Incident), item => item.Runbook)
        .OrderBy(group => group.Key)
        .SelectMany(group => CardSection.If(
            IncidentCards.ImpactHeading(group.Key), group.DistinctBy(runbook => runbook.Id).SelectMany(runbook => runbook.Impact.Lines)));

    private static IEnumerable<string> HowToUndo(IEnumerable<StormPart> parts, bool isOneRunbook) =>
        parts.SelectMany(part => part.HowToUndo.Select(line => isOneRunbook ? line : $"{part.Runbook.Title}, {line}")).Distinct();

    private static IEnumerable<string> WhoApproves(List<(Runbook Runbook, List<Incident> Incidents)> groups) => groups
        .SelectMany(group => StormText.Once(group.Incidents, gate => GateText.Needed(gate))
            .Select(needed => groups.Count == 1 ? needed : $"{group.Runbook.Title}: {needed}"));

    private static IReadOnlyList<string> IfNobodyAnswers(List<(Runbook Runbook, List<Incident> Incidents)> groups) =>
        SilenceText.Of([.. groups.SelectMany(group => group.Incidents.Select(incident => (group.Runbook.Title, incident.OpenGate!)))]);

    private CardLink LinkToAll(Storm storm, StormMessage message, bool areByHand)
    {
        var until = message.About.Max(incident => incident.OpenGate!.ExpiresAt);
        return new(
            areByHand ? "Look at all and say what is done" : "Look at all and decide",
            links.ForStorm(storm.Id, storm.Since, until, message.Recipient.Name));
    }

    private static List<string> NextSteps(List<Incident> incidents, DateTimeOffset now) =>
        StormText.Once([.. incidents.Select(incident => (incident, NextStepText.Of(incident, now)))], incidents.Count);

    private static string Line(Incident incident, string? text) => $"{IncidentText.Target(incident.Target)}: {text}";

    private static IEnumerable<CardSection> News(IReadOnlyList<Incident> incidents) => CardSection.If(
        "News", incidents.SelectMany(incident => incident.News.Select(news => Line(incident, news.Text))).Take(MaxNews));

    private static IEnumerable<CardSection> OnCall(IReadOnlyList<Incident> incidents) => CardSection.If(
        "Who is on call", incidents.SelectMany(incident => incident.OpenGate!.OnCallLines).Distinct());

    private static string End(IReadOnlyList<Incident> incidents) => incidents.Count(incident => incident.State == IncidentState.TakenOver) switch
    {
        0 => "ended",
        var taken when taken == incidents.Count => "been taken over",
        _ => "ended or been taken over",
    };

    private Card Base(Storm storm, IReadOnlyList<StormNews> news, CardKind kind, string title) => new()
    {
        Kind = kind,
        IncidentId = storm.Id,
        Title = title,
        Severity = news.Max(item => item.Runbook.Impact.Severity),
        DryRun = news.All(item => item.Incident.Mode == RunMode.DryRun),
        Links = [IncidentsLink([.. news.Select(item => item.Incident)])],
    };

    private CardLink IncidentsLink(IReadOnlyList<Incident> incidents)
    {
        var isOneRunbook = incidents.Select(incident => incident.RunbookId).Distinct().Count() == 1;
        return new("Incidents", links.Console(isOneRunbook ? incidents[0].RunbookId : null));
    }

    private static string OfAll(IReadOnlyList<StormNews> news) => Of(news.Select(item => item.Runbook).DistinctBy(runbook => runbook.Id));

    private static string Of(IEnumerable<Runbook> runbooks) => runbooks.ToList() is [var only] ? $" of '{only.Title}'" : "";

    private static string Heading(string heading, Runbook runbook, int groups) => groups == 1 ? heading : $"{heading}: {runbook.Title}";

    private static IReadOnlyList<string> Steps(StormPart part)
    {
        IEnumerable<string> what = part.Gate.Task is { } task
            ? [task.Instruction, .. task.Items.Select((item, at) => $"{at + 1}. {item.Text}")]
            : part.Gate.Plan.Steps.Select(step => step.PlannedEffect);
        var others = part.AsksForWork ? "the page leads to each one's own" : "the page shows each one's own steps and findings";
        return part.Incidents.Count == 1 ? [.. what] : [.. what, $"(As on {IncidentText.Target(part.Example.Target)}; {others}.)"];
    }
}
