namespace Runbooks.Approvals;

/// <summary>Takes people's decisions, from every channel: first the record, then the wake-up. Only what is on record counts.</summary>
public sealed class ApprovalService(
    IIncidentStore store,
    IIncidentEngine engine,
    ApproverRules approvers,
    ClosedGuards guards,
    NotificationUpdater updater,
    TimeProvider time,
    ILogger<ApprovalService> logger)
{
    /// <param name="gateId">Null: the open question, unless the same answer is on record for an earlier one and may be sent again.</param>
    public async Task<DecisionReceipt> DecideAsync(
        string incidentId, string? gateId, DecisionRequest request, CancellationToken cancellationToken)
    {
        try
        {
            // The decision counts from when it came and for the question of that moment, however long reading the contacts takes.
            var (at, repeated) = (time.GetUtcNow(), false);
            var asked = await store.GetAsync(incidentId, cancellationToken);
            var askedGate = gateId is null ? FindGate(asked, request) : asked.FindGate(gateId);
            if (gateId is null && WhyUnclear(asked, askedGate, request) is { } unclear)
            {
                Log.DecisionRefused(logger, incidentId, request.Person, request.Via, unclear.Message);
                return new(asked, unclear) { Gate = askedGate };
            }

            var id = gateId ?? askedGate!.Id;
            var closed = request.Verb == DecisionVerb.Approve ? await guards.FindAllAsync(asked, askedGate, cancellationToken) : null;
            var people = await approvers.ReadAsync(askedGate, cancellationToken);
            var (incident, result) = await store.UpdateAsync(
                incidentId, current => Decide(current, id, request, at, closed, people), cancellationToken);
            if (result.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded)
            {
                Log.Decided(logger, incidentId, request.Verb, request.Person, request.Via);
                await engine.TryWakeAsync(incident, logger);
                await TryShowAsync(incident, id, cancellationToken);
            }
            else
            {
                Log.DecisionRefused(logger, incidentId, request.Person, request.Via, result.Message);
                if (result.Status == DecisionStatus.HeldBack)
                {
                    // Once woken, the workflow looks often whether it may run by now.
                    await (askedGate?.WasBlocked == false ? engine.TryWakeAsync(incident, logger) : Task.CompletedTask);
                    await TryShowAsync(incident, id, cancellationToken);
                }

                repeated = result.Status is DecisionStatus.AlreadyCounted or DecisionStatus.AlreadyClosed
                    && IsRepeated(incident, id, request);
                if (repeated && !incident.State.IsFinal())
                {
                    // The person may have had no answer the first time: the host may have died after it wrote the record.
                    await (incident.State == IncidentState.AwaitingApproval
                        ? engine.TryWakeAsync(incident, logger)
                        : Task.CompletedTask);
                    await TryShowAsync(incident, id, cancellationToken);
                }
            }

            return new(incident, result) { IsRepeated = repeated, Gate = incident.FindGate(id) };
        }
        catch (KeyNotFoundException)
        {
            var missing = DecisionReceipt.NotFound(incidentId);
            Log.DecisionRefused(logger, DecisionReceipt.Named(incidentId), request.Person, request.Via, missing.Result.Message);
            return missing;
        }
    }

    /// <summary>For a person who pressed a button of an old card.</summary>
    public Task TryShowAsync(Incident incident, string gateId, CancellationToken cancellationToken) =>
        logger.TryShowAsync(() => updater.ShowGateAsync(incident, gateId, cancellationToken), incident.Id, cancellationToken);

    /// <inheritdoc cref="NotificationUpdater.ShowPressedAsync"/>
    public Task TryShowPressedAsync(
        Incident incident, string gateId, string channel, string reference, CancellationToken cancellationToken) =>
        logger.TryShowAsync(
            () => updater.ShowPressedAsync(incident, gateId, channel, reference, cancellationToken), incident.Id, cancellationToken);

    /// <summary>
    /// An approval that came too late does not count as repeated. When the rest of a checklist is reported again after it was counted, the
    /// request names fewer items, or none.
    /// </summary>
    private bool IsRepeated(Incident incident, string gateId, DecisionRequest request)
    {
        return incident.FindGate(gateId) is { } gate
            && gate.Decisions.Any(IsSameOrMore)
            && (request.Verb != DecisionVerb.Approve || gate.Outcome is GateOutcome.Pending or GateOutcome.Approved);

        bool IsSameOrMore(Decision decision) =>
            decision.Verb == request.Verb
            && decision.Person == approvers.NameOf(request)
            && (ItemsOf(request) ?? []).All(item => decision.Items?.Contains(item) == true);
    }

    /// <summary>For an answer that names no question: the open one, else the one that has the same answer on record.</summary>
    private Gate? FindGate(Incident incident, DecisionRequest request) =>
        incident.OpenGate
        ?? incident.Gates.LastOrDefault(gate => gate.Decisions.Any(decision => IsSame(decision, request)))
        ?? incident.LatestGate;

    private bool IsSame(Decision decision, DecisionRequest request) =>
        decision.Verb == request.Verb
        && decision.Person == approvers.NameOf(request)
        && (decision.Items ?? []).SequenceEqual(ItemsOf(request) ?? []);

    /// <summary>
    /// A person who got no reply may send the answer again, when another question is open that they have not seen. An answer without a
    /// question and without a plan hash could be such a repetition.
    /// </summary>
    private DecisionResult? WhyUnclear(Incident incident, Gate? meant, DecisionRequest request)
    {
        if (meant is null)
        {
            return incident.State.IsFinal()
                ? new(DecisionStatus.AlreadyClosed, GateText.HowItEnded(incident))
                : new(DecisionStatus.NothingAsked, $"Incident {incident.Id} asks nothing at the moment: {EndingText.Headline(incident)}.");
        }

        if (request.PlanHash is not null || meant.Outcome != GateOutcome.Pending)
        {
            return null;
        }

        return incident.Gates.LastOrDefault(HasThisAnswer) is { } earlier
            ? new(
                DecisionStatus.Incomplete,
                $"{approvers.NameOf(request)} has given this answer to '{earlier.Id}' already, and it is on record. "
                    + $"Another question is open by now: look at '{meant.Id}', and name it as 'gate' to answer it. Nothing was recorded.")
            : null;

        bool HasThisAnswer(Gate gate) =>
            gate.Id != meant.Id
            && (gate.Task is not null || !request.IsOfWork)
            && gate.Decisions.Any(decision => IsSame(decision, request) && decision.Reason == request.Reason);
    }

    private static IReadOnlyList<int>? ItemsOf(DecisionRequest request) =>
        request.Items is { Count: > 0 } items ? [.. items.Distinct().Order()] : null;

    /// <param name="closed">What keeps it from running now: an approval is not taken then, and the question stays open.</param>
    private (Incident, DecisionResult) Decide(
        Incident incident, string gateId, DecisionRequest request, DateTimeOffset at, HeldBackBy? closed, ContactBook people)
    {
        var gate = incident.FindGate(gateId);
        if (gate is { Outcome: GateOutcome.Pending } && approvers.WhyNotCounted(gate, request, people) is { } objection)
        {
            return (incident, objection);
        }

        var person = approvers.NameOf(request);
        if (request.IsOfWork && gate is { Outcome: GateOutcome.Pending, Task: null })
        {
            return (incident, new(DecisionStatus.Incomplete, "It asks for a decision and not for work by hand. Nothing was recorded."));
        }

        if (closed is not null && gate is { Outcome: GateOutcome.Pending } && at < gate.ExpiresAt)
        {
            var noted = incident.NoteHeldBack(gateId, person, closed.Why, closed.Until, time.GetUtcNow());
            var then = closed.Until is null && Silence.CanProlong(gate)
                ? "The question stays open, and is asked again once nothing stops it."
                : $"The question stays open until {GateText.Clock(noted.FindGate(gateId)!.ExpiresAt, time.GetUtcNow())}; "
                    + "approve it again once nothing stops it.";
            return (noted, new(DecisionStatus.HeldBack, $"Not approved: {closed.Why} {then}"));
        }

        var decision = new Decision(request.Verb, person, request.Via, at, request.Reason, request.PlanHash)
        {
            Items = ItemsOf(request),
            Identity = request.SignedIn?.Id,
            OfOwner = gate is { OwnerTeam: { } owner } && approvers.IsOf(owner, gate, request, people),
            ByShiftOrGroup = gate is null ? null : approvers.ByShiftOrGroup(gate, request, people),
        };
        var starter = incident.StartedBy is { } by ? approvers.NameOf(by) : null;
        return incident
            .LoseApprovals(gateId, earlier => ApproverRules.AsOfNow(gate!, earlier, people), time.GetUtcNow())
            .Decide(gateId, decision, starter);
    }
}

/// <param name="Person">As proven by the channel.</param>
/// <param name="PlanHash">The plan that the person saw; null where the channel shows none.</param>
public sealed record DecisionRequest(DecisionVerb Verb, string Person, string Via, string? Reason = null, string? PlanHash = null)
{
    /// <summary>The recipient that a link was made for, also when it was passed on.</summary>
    public string? LinkOf { get; init; }

    /// <summary>Items of a checklist that are done, counted from 1.</summary>
    public IReadOnlyList<int>? Items { get; init; }

    /// <summary>It reports work by hand, and does not answer a question about what the automation may do.</summary>
    public bool IsOfWork { get; init; }

    /// <summary>Null for a link, or for a key that speaks for somebody.</summary>
    public SignedInPerson? SignedIn { get; init; }
}

public sealed record DecisionReceipt(Incident? Incident, DecisionResult Result)
{
    private const int LongestId = 200;

    public Gate? Gate { get; init; }

    /// <summary>It changed nothing, since the same person said the same before: a button that was pressed twice.</summary>
    public bool IsRepeated { get; init; }

    /// <param name="id">Unchecked.</param>
    public static DecisionReceipt NotFound(string id) => new(null, new(DecisionStatus.NotFound, $"There is no incident '{Named(id)}'."));

    /// <summary>The id comes from an address, and the log may be a terminal.</summary>
    internal static string Named(string id) => CleanText.Clean(id, LongestId, oneLine: true);
}

/// <summary>
/// What keeps an open question from being carried out right now, even after a yes. Shown with the question, and checked again when
/// somebody approves.
/// </summary>
public sealed class ClosedGuards(GuardrailEvaluator guardrails, PinnedRunbooks pinned)
{
    private const int MaxConcurrency = 8;

    /// <summary>The answer is the same for incidents that agree in the key below. Only limits that forbid differ by target.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<string>>> FindManyAsync(
        IReadOnlyList<Incident> incidents, CancellationToken cancellationToken)
    {
        var apart = incidents.Count > 0
            && (await pinned.OfAsync(incidents[0], cancellationToken)).Limits.WhenExceeded == WhenExceeded.Forbid;
        var alike = incidents.GroupBy(incident => (
            incident.RunbookHash,
            incident.OpenGate?.Phase,
            ByHand: incident.OpenGate?.Task is not null,
            incident.Mode,
            incident.HasActed,
            Id: apart ? incident.Id : null));
        var reasons = new ConcurrentDictionary<string, IReadOnlyList<string>>();
        var limits = new ParallelOptions { MaxDegreeOfParallelism = MaxConcurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(alike, limits, async (group, token) =>
        {
            var shared = await FindAsync(group.First(), group.First().OpenGate, token);
            foreach (var incident in group)
            {
                reasons[incident.Id] = shared;
            }
        });
        return reasons;
    }

    /// <returns>Empty when nothing keeps it from running, or when the question is not open.</returns>
    public async Task<IReadOnlyList<string>> FindAsync(Incident incident, Gate? gate, CancellationToken cancellationToken) =>
        [.. (await FindViolationsAsync(incident, gate, cancellationToken)).Select(violation => violation.Why)];

    /// <returns>All as one; null when there is none.</returns>
    public async Task<HeldBackBy?> FindAllAsync(Incident incident, Gate? gate, CancellationToken cancellationToken) =>
        await FindViolationsAsync(incident, gate, cancellationToken) is { Count: > 0 } violations
            ? new(InWords(violations)!, violations.Max(violation => violation.Until))
            : null;

    internal static string? InWords(IReadOnlyList<GuardrailViolation> violations) =>
        violations.Count == 0 ? null : string.Join(" ", violations.Select(violation => EndingText.Sentence(violation.Why)));

    private async Task<IReadOnlyList<GuardrailViolation>> FindViolationsAsync(
        Incident incident, Gate? gate, CancellationToken cancellationToken)
    {
        // Work that a person reports as done is done.
        if (gate is not { Outcome: GateOutcome.Pending, Task: null } || incident.State.IsFinal())
        {
            return [];
        }

        // Evaluated as if the step came next: then a window only answers, and does not register the incident for its end.
        var context = new GuardrailContext(incident, await pinned.OfAsync(incident, cancellationToken), gate.Phase, AboutToRun: true, gate);
        var violations = await guardrails.EvaluateAsync(context, cancellationToken);
        return [.. violations.Where(violation => violation.Severity > GuardrailSeverity.AskFirst && violation.Concerns(gate.Plan))];
    }
}
