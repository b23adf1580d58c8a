using Runbooks.SignedLinks;

namespace Runbooks.Notifications.Storms;

/// <summary>The cards of messages about many incidents.</summary>
public sealed class StormCards(DecisionLinks links, IncidentCards alone)
{
    private const int LineLength = 500;

    /// <summary>Of more the message names no more; the page lists them all.</summary>
    private const int MaxNamed = 300;

    private const int MaxNews = 10;

    /// <summary>Sentences that are not of all; more would bury the rest.</summary>
    private const int MaxSaid = 10;

    /// <summary>One question about many targets. The page behind it lists them and decides them together or one by one.</summary>
    public Card Question(Storm storm, StormMessage message, IReadOnlyDictionary<string, Runbook> runbooks)
    {
        var asking = message.About;
        var kind = message.Newcomers > 0 ? CardKind.ApprovalRequest
            : message.Before is null && !message.IsNextShift ? CardKind.Escalation
            : CardKind.Reminder;
        if (asking is [var only])
        {
            return alone.Approval(only, runbooks[only.RunbookId], only.OpenGate!, message.Recipient.Name, kind);
        }

        var groups = asking.GroupBy(incident => incident.RunbookId).Select(group => (Runbook: runbooks[group.Key], Incidents: group.ToList())).ToList();
        var parts = StormPart.Of(asking, runbooks);
        var byHand = asking.Count(incident => incident.OpenGate!.Task is not null);
        return new Card
        {
            Kind = kind,
            IncidentId = storm.Id,
            Title = Title(message, kind, Of(groups.Select(group => group.Runbook))) + ByHand(byHand, asking.Count),
            Severity = groups.Max(group => group.Runbook.Impact.Severity),
            DryRun = asking.All(incident => incident.Mode == RunMode.DryRun),
            CountsPeople = asking.Any(incident => incident.OpenGate!.CountsPeople),
            Sections =
            [
                new("What broke", [.. groups.SelectMany(group => WhatBroke(group.Runbook, group.Incidents.Count))]),
                .. parts.Select(part => new CardSection(HeadingOf("Targets", part), Lines(part.Incidents.Select(incident => incident.Target)))),
                .. News(asking),
                .. OnCall(asking),
                .. CardSection.If("What changed since you were asked", Once(asking, gate => gate.Difference)),
                .. CardSection.If("Warning", Once(asking, gate => gate.AllWarnings), isNeeded: true),
                .. CardSection.If("How it went before", Once(asking, gate => gate.TrackRecord)),
                .. parts.Select(part => new CardSection(HeadingOf(part.StepsHeading, part), Steps(part.Example)) { IsNeeded = true }),
                .. CardSection.If("How to undo it", parts.SelectMany(part => part.HowToUndo).Distinct()),
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
            .GroupBy(one => one.Incident.RunbookId)
            .Select(group => (group.First().Runbook, Held: group.Select(one => (one.Incident, Lease: Lease.Of(one.Incident, one.Runbook)!)).ToList()))
            .ToList();
        return Base(storm, news, CardKind.Decided, $"{news.Count} temporary fixes{OfAll(news)} are in place") with
        {
            Sections =
            [
                .. groups.SelectMany(group => (CardSection[])
                [
                    new(Heading("What is in place", group.Runbook, groups.Count), [.. group.Held[0].Lease.Held, .. group.Held.Count == 1 ? [] : (string[])[$"(As on {IncidentText.Target(group.Held[0].Incident.Target)}.)"]]),
                    new(Heading("Targets", group.Runbook, groups.Count), Lines(group.Held.Select(one => one.Incident.Target))),
                    new(Heading("What ends it", group.Runbook, groups.Count),
                        [group.Held[0].Lease.WhatEndsIt, $"From {GateText.Clock(group.Held.Min(one => one.Lease.Until), group.Held.Min(one => one.Lease.Since))} on a person is paged where that has not happened; each stays until it is taken back. It can be taken back at any time from its incident."]),
                ]),
            ],
        };
    }

    /// <summary>How incidents ended, since the last such message.</summary>
    public Card Ended(Storm storm, IReadOnlyList<StormNews> news)
    {
        IReadOnlyList<Incident> incidents = [.. news.Select(one => one.Incident)];
        var unsolved = incidents.Where(IsUnsolved).ToList();
        var unseen = unsolved.Where(CallsForAPerson).ToList();
        var left = incidents.Except(unsolved).Where(incident => incident.NeedsPerson).ToList();
        var of = OfAll(news);
        var counts = incidents.GroupBy(incident => (incident.State, Headline: EndingText.Headline(incident))).OrderBy(group => group.Key).Select(group => $"{group.Count()} × {group.Key.Headline}");
        var kind = unseen.Count > 0 ? CardKind.Page : incidents.Any(incident => incident.State == IncidentState.TakenOver) ? CardKind.Decided : CardKind.Closed;
        var title = unseen.Count > 0
            ? $"A person is needed: {(incidents.Count == 1 ? "1 incident" : $"{unsolved.Count} of {incidents.Count} incidents")}{of} {CountText.Were(unsolved.Count)} not solved"
            : $"{CountText.Format(incidents.Count, "incident")}{of} {CountText.Have(incidents.Count)} {End(incidents)}{(left.Count > 0 ? $", {left.Count} with something left to a person" : "")}";
        return Base(storm, news, kind, title) with
        {
            IsEnd = true,
            IsSeenTo = kind == CardKind.Decided,
            Sections =
            [
                new("How they ended", [.. counts]),
                .. CardSection.If("Not solved", unsolved.Select(incident => $"{IncidentText.Target(incident.Target)}: {incident.Reason ?? EndingText.Headline(incident)}{SeenTo(incident)}")),
                .. CardSection.If("What to do now", [.. NextSteps(unseen, news.Max(one => one.Incident.UpdatedAt)), .. incidents.Any(incident => incident.IsOwnedByResponder()) ? [NextStepText.CloseEach] : Array.Empty<string>()], isNeeded: true),
                .. CardSection.If("Not passing when asked last", incidents.Where(incident => EndingText.NotPassing(incident) is not null).Select(incident => $"{IncidentText.Target(incident.Target)}: {incident.Reason}")),
                .. CardSection.If("Left to a person", left.Select(incident => $"{IncidentText.Target(incident.Target)}: {incident.Attention!.Why}")),
                .. CardSection.If("Targets", Lines(incidents.Except(unsolved).Except(left).Select(incident => incident.Target))),
            ],
        };
    }

    /// <summary>What happened, for those who were not asked.</summary>
    public Card Report(Storm storm, IReadOnlyList<StormNews> news)
    {
        if (news is [var only])
        {
            return alone.Report(only.Incident, only.Runbook);
        }

        var unsolved = news.Count(one => IsUnsolved(one.Incident));
        return Ended(storm, news) with
        {
            IsEnd = false,
            Kind = CardKind.Decided,
            Title = $"Report: {news.Count} incidents{OfAll(news)} have {End([.. news.Select(one => one.Incident)])}{(unsolved > 0 ? $", {unsolved} of them not solved" : "")}",
        };
    }

    /// <summary>A person has to look at these incidents while the automation goes on.</summary>
    public Card Page(Storm storm, IReadOnlyList<StormNews> news, DateTimeOffset now)
    {
        if (news is [var only])
        {
            return alone.Page(only.Incident, only.Runbook, only.Message, now);
        }

        var incidents = news.Select(one => one.Incident).DistinctBy(incident => incident.Id).ToList();
        var messages = news.GroupBy(one => one.Message).OrderByDescending(same => same.Count()).ToList();
        return Base(storm, news, CardKind.Page, $"A person is needed: {CountText.Format(incidents.Count, "incident")}{OfAll(news)}") with
        {
            Sections =
            [
                new("What happened", [.. messages.Select(same => same.ToList() is [var one] ? $"{IncidentText.Target(one.Incident.Target)}: {same.Key}" : $"{CountText.Format(same.Count(), "target")}: {same.Key}")]) { IsNeeded = true },
                .. messages.Where(same => same.Count() > 1).Select(same => new CardSection(
                    messages.Count == 1 ? "Targets" : $"Targets: {Clip.To(same.Key, 80)}", Lines(same.Select(one => one.Incident.Target)))),
                .. CardSection.If("What it means", news.Select(one => one.Runbook).DistinctBy(runbook => runbook.Id).SelectMany(runbook => (string[])[runbook.Impact.Users, runbook.Impact.Data]).Where(line => line.Length > 0)),
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

    /// <summary>Whether it is not solved and nobody sees to it, has had it tried again or has closed it.</summary>
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
        var all = message.About.Count;
        return kind switch
        {
            CardKind.Reminder => $"Still waiting: {all} incidents{of} ask you at once",
            CardKind.Escalation => $"Escalated: {all} incidents{of} ask you at once",
            _ when message.Before is not null && message.Newcomers < all => $"{message.Newcomers} more: {all} incidents{of} ask you at once",
            _ => $"{all} incidents{of} ask you at once",
        };
    }

    private static string ByHand(int count, int all) =>
        count == 0 ? "" : count == all ? ", to do something by hand" : $", {count} of them to do something by hand";

    private static string[] WhatBroke(Runbook runbook, int targets) =>
        [$"{runbook.Title} on {CountText.Format(targets, "target")}. {runbook.Impact.Users}".Trim(), runbook.Impact.Data];

    private static IEnumerable<string> WhoApproves(List<(Runbook Runbook, List<Incident> Incidents)> groups) => groups
        .SelectMany(group => group.Incidents
            .Select(incident => GateText.Needed(incident.OpenGate!))
            .OfType<string>()
            .Select(needed => groups.Count == 1 ? needed : $"{group.Runbook.Title}: {needed}"))
        .Distinct();

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
        Once([.. incidents.Select(incident => (incident, NextStepText.Of(incident, now)))], incidents.Count);

    private static List<string> Once(IReadOnlyList<Incident> asking, Func<Gate, string?> text) =>
        Once(asking, gate => text(gate) is { } one ? [one] : Array.Empty<string>());

    private static List<string> Once(IReadOnlyList<Incident> asking, Func<Gate, IEnumerable<string>> texts) =>
        Once([.. asking.SelectMany(incident => texts(incident.OpenGate!).Select(text => (incident, text)))], asking.Count);

    /// <summary>Each sentence once, with whom it is about where that is not all of them.</summary>
    private static List<string> Once(IReadOnlyList<(Incident About, string Text)> said, int all)
    {
        var same = said.GroupBy(one => one.Text, one => one.About).OrderByDescending(group => group.Count()).ToList();
        List<string> lines = [.. same.Take(MaxSaid).Select(group => group.Count() == all ? group.Key : $"{Who(group)}: {group.Key}")];
        return same.Count > MaxSaid ? [.. lines, $"And {CountText.Format(same.Skip(MaxSaid).Sum(group => group.Count()), "target")} more."] : lines;
    }

    /// <summary>One by its name, several by their number.</summary>
    private static string Who(IEnumerable<Incident> incidents) =>
        incidents.ToList() is var all && all.Count == 1 ? IncidentText.Target(all[0].Target) : CountText.Format(all.Count, "target");

    private static IEnumerable<CardSection> News(IReadOnlyList<Incident> incidents) =>
        CardSection.If("News", incidents.SelectMany(incident => incident.News.Select(news => $"{IncidentText.Target(incident.Target)}: {news.Text}")).Take(MaxNews));

    private static IEnumerable<CardSection> OnCall(IReadOnlyList<Incident> incidents) => CardSection.If("Who is on call", incidents.SelectMany(incident => incident.OpenGate!.OnCallLines).Distinct());

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
        Severity = news.Max(one => one.Runbook.Impact.Severity),
        DryRun = news.All(one => one.Incident.Mode == RunMode.DryRun),
        Links = [IncidentsLink([.. news.Select(one => one.Incident)])],
    };

    private CardLink IncidentsLink(IReadOnlyList<Incident> incidents) =>
        new("Incidents", links.Console(incidents.Select(incident => incident.RunbookId).Distinct().Count() == 1 ? incidents[0].RunbookId : null));

    private static string OfAll(IReadOnlyList<StormNews> news) => Of(news.Select(one => one.Runbook).DistinctBy(runbook => runbook.Id));

    private static string Of(IEnumerable<Runbook> runbooks) => runbooks.ToList() is [var one] ? $" of '{one.Title}'" : "";

    private static string Heading(string heading, Runbook runbook, int groups) => groups == 1 ? heading : $"{heading}: {runbook.Title}";

    private static List<string> Steps(Incident example) =>
        example.OpenGate!.Task is { } task ? [task.Instruction, .. task.Items.Select((item, at) => $"{at + 1}. {item.Text}"), $"(As on {IncidentText.Target(example.Target)}; the page leads to each one's own.)"]
        : [.. example.OpenGate!.Plan.Steps.Select(step => step.PlannedEffect), $"(As on {IncidentText.Target(example.Target)}; the page shows each one's own steps and findings.)"];

    /// <summary>As many to a line as can be read.</summary>
    private static List<string> Lines(IEnumerable<string> targets)
    {
        var lines = new List<string>();
        var all = targets.Select(IncidentText.Target).ToList();
        foreach (var target in all.Take(MaxNamed))
        {
            if (lines.Count > 0 && lines[^1].Length + target.Length + 2 <= LineLength)
            {
                // A target may have a comma of its own.
                lines[^1] += $"; {target}";
            }
            else
            {
                lines.Add(target);
            }
        }

        return all.Count > MaxNamed ? [.. lines, $"And {all.Count - MaxNamed} more."] : lines;
    }
}
