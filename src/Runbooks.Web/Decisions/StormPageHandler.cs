using System.Collections.Concurrent;
using Runbooks.Notifications;
using Runbooks.Notifications.Storms;
using Runbooks.SignedLinks;
using Runbooks.Storage;

namespace Runbooks.Web.Decisions;

/// <summary>
/// All questions of a storm on one page, decided together or apart. The link lists them. Each question's own signed ticket, which the
/// page sends back, decides: on that gate, that plan and for that recipient, like a link of its own.
/// </summary>
public sealed class StormPageHandler(
    LinkSigner signer,
    DecisionLinks links,
    IIncidentStore store,
    StormMembers members,
    PinnedRunbooks pinned,
    OnCallDirectory directory,
    ApprovalService approvals,
    ApproverRules approvers,
    ClosedGuards guards,
    TimeProvider time,
    HttpRequestRunner runner,
    ILogger<StormPageHandler> logger)
{
    private const int MaxConcurrency = 8;

    /// <param name="ticks">Which questions are ticked: the safe ones, unless the reader asked for all or none.</param>
    /// <param name="person">The person who is signed in; null where nobody signs in, and the link's recipient counts.</param>
    internal async Task<IResult> ShowAsync(
        StormGrant grant, StormTicks ticks, string? notice, bool good, SignedInPerson? person, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (now >= grant.ExpiresAt)
        {
            return MessageResult.Of(
                StatusCodes.Status200OK, "This link has expired", notice ?? "Decide from the newest message, or look at the console.");
        }

        var people = (await directory.ResolveAllAsync(cancellationToken)).Book;
        var incidents = await FindAsync(grant, people, cancellationToken);
        if (incidents.Count == 0)
        {
            return MessageResult.Of(
                StatusCodes.Status404NotFound,
                "Nothing to show",
                notice ?? "There are no records of these incidents that can be shown to you. Nothing was decided.");
        }

        var name = person?.Name ?? grant.Recipient;
        var groups = new List<StormGroup>();
        foreach (var group in incidents.GroupBy(incident => incident.RunbookId))
        {
            var runbook = await pinned.OfAsync(group.First(), cancellationToken);
            var rows = group.Select(incident => StormRow.Of(incident, now, gate => links.TicketFor(incident, gate, grant.Recipient))).ToList();
            var waiting = rows.Where(row => row.Ticket is not null).Select(row => row.Incident);
            var closed = await guards.FindManyAsync([.. waiting], cancellationToken);
            var shown = rows.Select(row => row with
            {
                Guards = closed.GetValueOrDefault(row.Incident.Id, []),
                WhyNoYes = approvers.WhyNoYes(row.Gate, grant.Recipient, person, people),
            });
            groups.Add(new(runbook, [.. shown], ticks, int.MaxValue));
        }

        var page = DecisionLinks.PageOf(signer.SignStorm(grant));
        return new PageResult<StormPage>(new { Model = new StormModel(page, name, StormGroup.Fit(groups), notice, good, now) });
    }

    /// <summary>
    /// All that wait, and the latest others, so that every question of a storm can be decided, however long it goes on. Every reader's
    /// page asks again every few seconds, so the storm is listed once, and only incidents on the page are read whole.
    /// </summary>
    private async Task<IReadOnlyList<Incident>> FindAsync(StormGrant grant, ContactBook people, CancellationToken cancellationToken)
    {
        var byWaiting = (await members.ListAsync(grant.StormId, grant.Since, cancellationToken))
            .ToLookup(line => line.State == IncidentState.AwaitingApproval);
        var waiting = await ReadAsync(byWaiting[true].Reverse(), StormMembers.MaxMembers);
        var room = Math.Min(StormModel.MaxOthers, StormMembers.MaxMembers - waiting.Count);
        return [.. waiting, .. await ReadAsync(byWaiting[false], room)];

        ValueTask<List<Incident>> ReadAsync(IEnumerable<IncidentSummary> some, int atMost) =>
            members.ReadAsync(some, cancellationToken)
                .Where(incident => IsAsked(incident, grant.Recipient, people))
                .Take(atMost)
                .ToListAsync(cancellationToken);
    }

    internal async Task<IResult> DecideAsync(
        StormGrant grant, IFormCollection form, DecisionVerb verb, SignedInPerson? person, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() >= grant.ExpiresAt)
        {
            return await ShowAsync(grant, StormTicks.Safe, null, good: false, person, cancellationToken);
        }

        var tickets = form[StormModel.TicketField]
            .OfType<string>()
            .Distinct(StringComparer.Ordinal)
            .Take(StormMembers.MaxMembers)
            .ToList();
        var answers = new ConcurrentBag<Answer?>();
        var limits = new ParallelOptions { MaxDegreeOfParallelism = MaxConcurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            tickets, limits, async (ticket, token) => answers.Add(await TryAnswerAsync(grant, ticket, form, verb, person, token)));
        var words = Summarize(verb, [.. answers]);
        var good = answers.All(answer => answer is { Counts: true });
        return await runner.ShowAsync(
            () => ShowAsync(grant, StormTicks.Safe, words, good, person, cancellationToken), StatusCodes.Status200OK, words);
    }

    /// <returns>Null when it is not known whether the answer was recorded. The other tickets go on.</returns>
    private async Task<Answer?> TryAnswerAsync(
        StormGrant grant,
        string ticket,
        IFormCollection form,
        DecisionVerb verb,
        SignedInPerson? person,
        CancellationToken cancellationToken)
    {
        try
        {
            return await AnswerAsync(grant, ticket, form, verb, person, cancellationToken);
        }
        // Whatever broke for one target, the person has to hear what was recorded for the others.
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            Log.Broke(logger, fault);
            return null;
        }
    }

    private async Task<Answer> AnswerAsync(
        StormGrant grant,
        string ticket,
        IFormCollection form,
        DecisionVerb verb,
        SignedInPerson? person,
        CancellationToken cancellationToken)
    {
        // A ticket for another recipient, or for a question of another storm, does not count here.
        if (!signer.TryRead(ticket, out var one) || one.Recipient != grant.Recipient
            || await store.FindAsync(one.IncidentId, cancellationToken) is not { } incident
            || incident.Storm != grant.StormId)
        {
            Log.LinkRefused(logger, "a ticket on a storm's page is none of its recipient's");
            return new(Counts: false, Waits: false, "A line was changed on its way.");
        }

        // For a closed question the answer itself says how it ended.
        if (time.GetUtcNow() is var now && now >= one.ExpiresAt && incident.FindGate(one.GateId) is { Outcome: GateOutcome.Pending } open)
        {
            return new(Counts: false, Waits: false, $"Its link has expired. {GateText.Late(open, now)}");
        }

        if (incident.FindGate(one.GateId) is { Task: not null })
        {
            return new(Counts: false, Waits: false, "What is done by hand is answered one by one.");
        }

        var request = new DecisionRequest(verb, person?.Name ?? one.Recipient, DecisionVia.Link, DecisionVerbText.Reason(form["reason"]), one.PlanHash)
        {
            LinkOf = one.Recipient,
            SignedIn = person,
        };
        var receipt = await approvals.DecideAsync(one.IncidentId, one.GateId, request, cancellationToken);
        var outcome = receipt.Incident?.FindGate(one.GateId)?.Outcome;

        // Pressing again counts like the first time.
        var counts = receipt.IsRepeated || receipt.Result.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded;
        return new(counts, outcome == GateOutcome.Pending, receipt.Result.Message);
    }

    internal async Task<IResult> ShowOneAsync(StormGrant grant, string incidentId, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() < grant.ExpiresAt
            && await store.FindAsync(incidentId, cancellationToken) is { } incident
            && incident.Storm == grant.StormId
            && IsAsked(incident, grant.Recipient, (await directory.ResolveAllAsync(cancellationToken)).Book))
        {
            var ticket = links.TicketFor(incident, incident.OpenGate ?? incident.LatestGate!, grant.Recipient);
            return new SeeOther(DecisionLinks.PageOf(ticket), StatusCodes.Status302Found);
        }

        return MessageResult.Of(
            StatusCodes.Status404NotFound, "Not here", "This question does not belong to this page. Nothing was decided.");
    }

    private static bool IsAsked(Incident incident, string recipient, ContactBook people) =>
        incident.LatestGate is { } latest
        && incident.Gates.Any(gate => gate.WasAsked)
        && ApproverRules.IsAsked(latest, recipient, people);

    private static string Summarize(DecisionVerb verb, IReadOnlyList<Answer?> answers)
    {
        if (answers.Count == 0)
        {
            return "No target was ticked, so nothing was decided.";
        }

        var known = answers.OfType<Answer>().ToList();
        var others = known.Where(answer => !answer.Counts)
            .GroupBy(answer => answer.Message)
            .OrderByDescending(group => group.Count())
            .Take(3);
        var unknown = answers.Count - known.Count;
        return string.Join(" ",
        [
            .. Lines.Of(CountedText(verb, known, answers.Count)),
            .. others.Select(group => $"Not counted for {group.Count()}: {group.Key}"),
            .. Lines.Of(unknown == 0
                ? null
                : $"For {CountText.Format(unknown, "target")} it is not known whether your answer was recorded, "
                    + "because something went wrong here. Press again for what is still asked; each answer counts once."),
        ]);
    }

    /// <returns>Null where it is not known of every answer whether it counts, and none does for certain.</returns>
    private static string? CountedText(DecisionVerb verb, IReadOnlyList<Answer> known, int ticked)
    {
        var counted = known.Count(answer => answer.Counts);
        if (counted == 0)
        {
            return known.Count == ticked ? $"Your answer counts for none of {CountText.Format(ticked, "target")}." : null;
        }

        var targets = counted == ticked ? CountText.Format(counted, "target") : $"{counted} of {CountText.Format(ticked, "target")}";
        var waiting = known.Count(answer => answer is { Counts: true, Waits: true });
        var more = waiting == 0 ? "" : $"; {WaitText(waiting, counted)} for more people to approve";
        return $"You {GateText.Past(verb)} {targets}{more}.";
    }

    private static string WaitText(int waiting, int counted) => (waiting == counted, waiting) switch
    {
        (true, 1) => "it waits",
        (true, _) => "they wait",
        (_, 1) => "one of them waits",
        _ => $"{waiting} of them wait",
    };

    /// <param name="Counts">The answer is on record, now or since an earlier press.</param>
    private sealed record Answer(bool Counts, bool Waits, string Message);
}
