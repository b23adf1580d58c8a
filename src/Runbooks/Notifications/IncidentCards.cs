using Runbooks.SignedLinks;

namespace Runbooks.Notifications;

public sealed class IncidentCards(DecisionLinks links)
{
    /// <summary>The card that asks, with its parts in the order in which a half-asleep person needs them.</summary>
    public Card Approval(Incident incident, Runbook runbook, Gate gate, string recipient, CardKind kind)
    {
        if (gate.Task is { } task)
        {
            return Work(incident, runbook, gate, task, recipient, kind);
        }

        var question = Question(incident, runbook, gate, recipient, kind);
        return GateText.WhyNoYes(gate, recipient) is null ? question : question.WithoutButtons;
    }

    /// <summary>Asks a person to do something by hand. It has no buttons, since the answer names items or gives a reason.</summary>
    private Card Work(Incident incident, Runbook runbook, Gate gate, ManualTask task, string recipient, CardKind kind) => Base(incident, runbook, kind) with
    {
        Title = $"{Prefix(kind)}{gate.Question}",
        GateId = gate.Id,
        Sections =
        [
            new("What to do by hand", [task.Instruction, .. task.Items.Select((item, at) => ManualTaskText.Line(item, at + 1, AskedAt(gate)))]) { IsNeeded = true },
            .. Story(incident, runbook, gate),
            .. Since(incident, gate),
            .. Close(incident, gate, kind),
        ],
        Links = [new(task.Items.Count > 0 ? "Tick what is done" : "Say what became of it", links.For(incident, gate, recipient)), IncidentLink(incident)],
    };

    private Card Question(Incident incident, Runbook runbook, Gate gate, string recipient, CardKind kind) => Base(incident, runbook, kind) with
    {
        Title = $"{(kind == CardKind.ApprovalRequest && WasAskedBefore(incident, gate) ? "Asked again: " : Prefix(kind))}{gate.Question}",
        GateId = gate.Id,
        PlanHash = gate.Plan.Hash,
        CountsPeople = gate.CountsPeople,
        Yes = GateText.WhatYesMeans(gate, incident.Mode),
        No = GateText.WhatNoMeans(gate, incident),
        Sections =
        [
            .. CardSection.If("Why it is asked now", GateText.WhyAgain(gate)),
            .. Story(incident, runbook, gate),
            .. CardSection.If("How often", incident.RecurrenceLines()),
            .. Since(incident, gate),
            .. CardSection.If("Warning", gate.AllWarnings, isNeeded: true),
            .. CardSection.If("How it went before", gate.TrackRecord is { } before ? [before] : []),
            .. CardSection.If("Who has to approve", GateText.Quorum(gate) is { } quorum ? [quorum] : [], isNeeded: true),
            new("What will be done", [.. gate.Plan.Steps.Select(step => step.PlannedEffect)]) { IsNeeded = true },
            .. CardSection.If("How to undo it", Lines.Of(gate.Plan.Steps.Select(step => step.NamedUndo))),
            .. Close(incident, gate, kind),
        ],
        Links = [new("Look and decide", links.For(incident, gate, recipient)), IncidentLink(incident)],
    };

    /// <summary>Only a question also says that nothing was found.</summary>
    private static IEnumerable<CardSection> Story(Incident incident, Runbook runbook, Gate gate) =>
    [
        new("What broke", [Outage(incident, runbook), runbook.Impact.Data]),
        .. CardSection.If("How it began", incident.StartLines),
        .. CardSection.If("What was done so far", Done(incident)),
        .. gate.Task is null || incident.Findings.Count > 0
            ? [new CardSection(FindingText.Found(incident, AskedAt(gate)), [.. incident.Findings.Select(FindingText.Line)])]
            : Array.Empty<CardSection>(),
        .. CardSection.If(FindingText.SaidLast(incident, AskedAt(gate)), incident.Verification.Select(FindingText.Line)),
    ];

    private static IEnumerable<CardSection> Since(Incident incident, Gate gate) =>
    [
        .. CardSection.If("News", gate.Outcome == GateOutcome.Pending ? [.. incident.News.Select(news => news.Text)] : []),
        .. CardSection.If("Also reported on this target", incident.OtherLines()),
    ];

    private static IEnumerable<CardSection> Close(Incident incident, Gate gate, CardKind kind) =>
    [
        .. CardSection.If("Who is asked", kind == CardKind.ApprovalRequest ? [] : [AskedSoFar(incident, gate)]),
        .. CardSection.If("Who is on call", gate.OnCallLines),
        new("If nobody answers", [GateText.Silence(gate)]) { IsNeeded = true },
        .. CardSection.If("The runbook", Origin(incident)),
    ];

    private static string AskedSoFar(Incident incident, Gate gate) =>
        incident.ReachedNobody(gate) ? "No message about this question has reached anybody so far." : GateText.AskedSoFar(gate);

    public Card Decided(Incident incident, Runbook runbook, Gate gate) => Base(incident, runbook, CardKind.Decided) with
    {
        IsSeenTo = gate.Outcome == GateOutcome.TakenOver,
        Title = $"{GateText.Brief(gate)}: {gate.Question}",
        Sections = [Decision(gate), new("What broke", [Outage(incident, runbook)])],
        Links = [IncidentLink(incident)],
    };

    public static Card Ended(Card end, Gate gate) => end with { Sections = [.. end.Sections, Decision(gate)] };

    public Card End(Incident incident, Runbook runbook, DateTimeOffset now) => incident switch
    {
        { ClosedByHand: not null } => Closed(incident, runbook),
        { State: IncidentState.Failed or IncidentState.Expired, Attention.AcknowledgedAt: not null } => Acknowledged(incident, runbook, now),
        { State: IncidentState.Failed or IncidentState.Expired } => Page(incident, runbook, incident.Reason ?? EndingText.Headline(incident), now),
        { State: IncidentState.TakenOver } => TakenOver(incident, runbook),
        _ => Closed(incident, runbook),
    };

    /// <summary>The automation has stopped and a responder owns the incident, so it is not over yet.</summary>
    public Card TakenOver(Incident incident, Runbook runbook)
    {
        var end = Closed(incident, runbook);
        return end with
        {
            Kind = CardKind.Decided,
            IsSeenTo = true,
            Title = $"{incident.TakenOverBy ?? "A person"} took it over: {About(incident, runbook)}",
            Sections = [new("What to do now", [NextStepText.Of(incident, incident.UpdatedAt)]) { IsNeeded = true }, .. end.Sections],
        };
    }

    public Card Closed(Incident incident, Runbook runbook) => Base(incident, runbook, CardKind.Closed) with
    {
        IsEnd = true,
        Title = $"{EndingText.Headline(incident)}: {About(incident, runbook)}",
        Sections =
        [
            .. CardSection.If("How it ended", incident.Reason is null ? [] : [incident.Reason]),
            .. CardSection.If(
                FindingText.Found(incident, incident.UpdatedAt),
                incident.State == IncidentState.NotNeeded ? incident.Findings.Select(FindingText.Line) : []),
            .. CardSection.If("How often", incident.RecurrenceLines()),
            .. CardSection.If("What was done", Done(incident)),
            .. CardSection.If(
                FindingText.SaidLast(incident, incident.UpdatedAt),
                EndingText.NotPassing(incident) is null ? [] : incident.Verification.Select(FindingText.Line)),
            .. Others(incident),
        ],
        Links = [IncidentLink(incident)],
    };

    public Card Report(Incident incident, Runbook runbook) => Base(incident, runbook, CardKind.Decided) with
    {
        Title = $"Report: {About(incident, runbook)} ({EndingText.Headline(incident)})",
        Sections =
        [
            new("Summary", [incident.Reason ?? EndingText.Headline(incident)]),
            new("Impact", [.. runbook.Impact.Lines]),
            new("Times", [.. IncidentReport.Moments(incident).Select(moment => $"{moment.What}: {TimeOf(moment.At, incident.OpenedAt)}")]),
            .. CardSection.If(
                FindingText.Found(incident, incident.OpenedAt),
                incident.Findings.Select(finding => LineWithGraph(finding, incident.Verification))),
            .. CardSection.If(
                FindingText.SaidLast(incident, incident.OpenedAt),
                incident.Verification.Select(finding => LineWithGraph(finding, incident.Findings))),
            .. CardSection.If("Who was asked, and what was done", Tried(incident)),
            .. CardSection.If("What is left to do", incident.NeedsPerson ? [NextStepText.Of(incident, incident.UpdatedAt)] : []),
        ],
        Links = [new("Report", links.ReportPage(incident.Id)), IncidentLink(incident)],
    };

    private static string TimeOf(DateTimeOffset moment, DateTimeOffset opened)
    {
        if (moment <= opened)
        {
            return GateText.DayAndClock(moment);
        }

        var after = TimeSpan.FromSeconds(Math.Round((moment - opened).TotalSeconds));
        return $"{GateText.Clock(moment, opened)}, after {DurationText.Format(after)}";
    }

    public Card Holding(Incident incident, Runbook runbook, Lease lease) => Base(incident, runbook, CardKind.Decided) with
    {
        Title = $"A temporary fix is in place: {About(incident, runbook)}",
        Sections =
        [
            new("What is in place", lease.Held),
            new(
                "What ends it",
                [
                    lease.WhatEndsIt,
                    $"If that has not happened by {GateText.Clock(lease.Until, lease.Since)}, a person is paged; it stays until it is taken back. "
                    + "It can be taken back at any time from the incident.",
                ]),
        ],
        Links = [IncidentLink(incident)],
    };

    public Card Page(Incident incident, Runbook runbook, string message, DateTimeOffset now) => Base(incident, runbook, CardKind.Page) with
    {
        Title = $"A person is needed: {About(incident, runbook)}",
        Sections =
        [
            new("What happened", [message]) { IsNeeded = true },
            new(ImpactHeading(EndingText.IsFixInPlace(incident)), [.. runbook.Impact.Lines]),
            .. CardSection.If(FindingText.Found(incident, now), incident.Findings.Select(FindingText.Line)),
            .. CardSection.If("What was tried", Tried(incident)),
            .. CardSection.If(FindingText.SaidLast(incident, now), incident.Verification.Select(FindingText.Line)),
            .. Others(incident),
            new("What to do now", [NextStepText.Of(incident, now)]) { IsNeeded = true },
        ],
        Links = [IncidentLink(incident)],
    };

    /// <summary>The page of an incident that somebody sees to or has had tried again. A retry calls people itself.</summary>
    public Card Acknowledged(Incident incident, Runbook runbook, DateTimeOffset now)
    {
        var page = Page(incident, runbook, incident.Reason ?? EndingText.Headline(incident), now);
        var (next, attention) = (incident.RetriedAs, incident.Attention!);
        var news = next is not null ? $"Tried again as incident {next}" : $"{attention.AcknowledgedBy} sees to it";
        return page with
        {
            Kind = CardKind.Decided,
            IsSeenTo = next is null,
            Title = $"{news}: {About(incident, runbook)}",
            Sections = [.. CardSection.If("What they said", attention.Note is { Length: > 0 } note ? [note] : []), .. page.Sections],
            Links = next is not null ? [new("The next incident", links.IncidentPage(next)), .. page.Links] : page.Links,
        };
    }

    /// <summary>A runbook says what the fault means for its users while it lasts.</summary>
    public static string ImpactHeading(bool isFixInPlace) => isFixInPlace ? "What it meant before the fix" : "What it means";

    private static string About(Incident incident, Runbook runbook) => $"{runbook.Title} on {IncidentText.Target(incident.Target)}";

    private static string Outage(Incident incident, Runbook runbook) => $"{About(incident, runbook)}. {runbook.Impact.Users}".Trim();

    /// <summary>A recent change to the runbook is the first suspect.</summary>
    private static IReadOnlyList<string> Origin(Incident incident) =>
        incident.Publication is { } publication ? [$"From {publication.Describe(incident.OpenedAt, "before the incident")}."] : [];

    private static IEnumerable<CardSection> Others(Incident incident) => CardSection.If(
        "Also reported on this target",
        incident.FollowedBy is { } next ? [.. incident.OtherLines(), $"Incident {next} looks at what is not over."] : incident.OtherLines());

    private static List<string> Tried(Incident incident) =>
    [
        .. incident.Gates.Select(gate => Asked(incident, gate)),
        .. Done(incident),
    ];

    private static string Asked(Incident incident, Gate gate)
    {
        var approvers = string.Join(", ", gate.Approvers);
        var question = gate.Task is { } task ? $"{(task.Undoes ? "Take back" : "Do")} '{task.Step}' by hand." : gate.Question;
        var isPending = gate.Outcome == GateOutcome.Pending;
        return (incident.HasDelivery(gate.Id), isPending) switch
        {
            (true, _) when incident.ReachedNobody(gate) =>
                $"No message reached anybody with the question: {question} {(isPending ? "" : GateText.HowItEnded(gate))}".TrimEnd(),
            (true, true) => $"Asked {approvers}: {question} {AnswersSoFar(gate)}".TrimEnd(),
            (true, false) => $"Asked {approvers}: {question} {GateText.HowItEnded(gate)}",
            (false, true) => $"As far as is known, this question has not been sent to anybody yet: {question}",
            (false, false) => $"{question} Nobody was asked. {GateText.HowItEnded(gate)}",
        };
    }

    private static string? AnswersSoFar(Gate gate) =>
        gate.Task is { IsBegun: true } task ? ManualTaskText.Left(task)
        : gate.Decisions.Count > 0 ? GateText.Quorum(gate)
        : $"{GateText.NotYet(gate)}.";
    private static IEnumerable<string> Done(Incident incident) => incident.Steps.Select(step => step.Line);

    private static DateTimeOffset AskedAt(Gate gate) => gate.AskedAt ?? gate.OpenedAt;

    private static CardSection Decision(Gate gate) =>
        new("The decision", [GateText.HowItEnded(gate), .. gate.Decisions.Select(d => d.Reason).OfType<string>().Select(reason => $"Reason: {reason}")]);

    private static Card Base(Incident incident, Runbook runbook, CardKind kind) => new()
    {
        Kind = kind,
        IncidentId = incident.Id,
        Thread = incident.ThreadOf ?? incident.Id,
        Title = runbook.Title,
        Severity = runbook.Impact.Severity,
        DryRun = incident.Mode == RunMode.DryRun,
    };

    private CardLink IncidentLink(Incident incident) => new("Incident", links.IncidentPage(incident.Id));

    /// <summary>A line of block characters is a graph that every channel shows. Before and after have one scale.</summary>
    private static string LineWithGraph(Finding finding, IReadOnlyList<Finding> others) =>
        $"{FindingText.Line(finding)} {MarkdownText.Sparkline(
            finding.Result.Series, others.FirstOrDefault(other => other.Name == finding.Name)?.Result.Series ?? [])}".TrimEnd();

    /// <summary>In a runbook that heals by itself, a changed plan may be the first thing that anybody is asked about.</summary>
    private static bool WasAskedBefore(Incident incident, Gate gate) => gate.Difference is not null
        && incident.Gates.Any(before => before.Id != gate.Id && before.Task is null && before.Phase == gate.Phase && before.WasAsked);

    private static string Prefix(CardKind kind) => kind switch
    {
        CardKind.Reminder => "Still waiting: ",
        CardKind.Escalation => "Escalated: ",
        _ => "",
    };
}
