using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;
using Runbooks.Notifications.Storms;

namespace Runbooks.Approvals;

/// <summary>Opens gates, and asks people. <see cref="ApprovalGateReview"/> looks after open ones.</summary>
public sealed class ApprovalGateService(
    IIncidentStore store,
    PinnedRunbooks pinned,
    PlanBuilder plans,
    GuardrailEvaluator guardrails,
    CheckService checks,
    ApproverRules approvers,
    IncidentNotifier notifier,
    IncidentCards cards,
    NotificationUpdater updater,
    StormRegistry storms,
    StormApprovalNotifier stormNotifier,
    ClosedGuards closed,
    TimeProvider time)
{
    public async Task<GateStatus> OpenAsync(OpenGateRequest request, CancellationToken cancellationToken) =>
        await OpenAsync(request, await store.GetAsync(request.IncidentId, cancellationToken), cancellationToken);

    internal async Task<GateStatus> OpenAsync(OpenGateRequest request, Incident incident, CancellationToken cancellationToken)
    {
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var id = request.Step is null
            ? Gate.IdOf(request.Phase, request.Round)
            : Gate.IdOf(request.Phase, request.Step, request.Undoes);
        (incident, var atOnce) =
            request.Step is { } step ? (await AddTaskAsync(request, runbook, step, cancellationToken), false)
            : incident.FindGate(id) is null ? await AddQuestionAsync(request, incident, runbook, cancellationToken)
            : await TakeUpAsync(request, incident, id, cancellationToken);

        // An activity may run again when another process has ended the incident: then nobody is asked.
        if (incident.FindGate(id) is null)
        {
            return new(id, GateOutcome.Cancelled, time.GetUtcNow(), GateText.HowItEnded(incident));
        }

        // After a crash this runs again: messages that were delivered are not sent twice.
        return await AskAsync(incident, runbook, id, CardKind.ApprovalRequest, alone: !incident.InStorm || atOnce, cancellationToken);
    }

    private Task<Incident> AddTaskAsync(OpenGateRequest request, Runbook runbook, string step, CancellationToken cancellationToken) =>
        store.UpdateAsync(
            request.IncidentId,
            current => current.State.IsFinal()
                ? current
                : Add(
                    current,
                    ManualTaskFactory.Make(current, runbook, request.Phase, step, request.Undoes, time.GetUtcNow()),
                    request,
                    time.GetUtcNow()),
            cancellationToken);

    /// <returns>AtOnce: people are asked at once although the incident is one of a storm.</returns>
    private async Task<(Incident Incident, bool AtOnce)> AddQuestionAsync(
        OpenGateRequest request, Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        incident = (await checks.CheckClaimAsync(incident, runbook, cancellationToken)).RecordFindings(request.Findings, time.GetUtcNow());
        var plan = await plans.MakeAsync(incident, runbook, request.Phase, cancellationToken);
        var violations = await guardrails.EvaluateAsync(
            new GuardrailContext(incident, runbook, request.Phase, AboutToRun: false), cancellationToken);
        var place = incident.InStorm ? null : await storms.JoinAsync(incident, cancellationToken);
        incident = await store.UpdateAsync(
            request.IncidentId, current => current.State.IsFinal() ? current : AddGate(current), cancellationToken);
        return (incident, place?.AtOnce ?? false);

        Incident AddGate(Incident current)
        {
            var now = time.GetUtcNow();
            var checkedNow = current.RecordFindings(request.Findings, now);
            var gate = ApprovalGateFactory.Make(checkedNow, runbook, request, plan, violations, now);
            var separated = approvers.Separate(gate, checkedNow.StartedBy);
            return Add(checkedNow, separated, request, now) with { Storm = checkedNow.Storm ?? place?.StormId };
        }
    }

    /// <summary>A failed attempt has opened the gate, and the workflow may wait for another event by now.</summary>
    private async Task<(Incident Incident, bool AtOnce)> TakeUpAsync(
        OpenGateRequest request, Incident incident, string id, CancellationToken cancellationToken)
    {
        var atOnce = await storms.IsWorstAsync(incident, cancellationToken);
        if (incident.WakeEvent == request.WakeEvent)
        {
            return (incident, atOnce);
        }

        incident = await store.UpdateAsync(
            request.IncidentId,
            current => current.FindGate(id) is { Outcome: GateOutcome.Pending } ? current with { WakeEvent = request.WakeEvent } : current,
            cancellationToken);
        return (incident, atOnce);
    }

    private static Incident Add(Incident incident, Gate gate, OpenGateRequest request, DateTimeOffset now) =>
        incident.AddGate(gate, now) with { WakeEvent = request.WakeEvent, ShownNews = incident.NewsMark };

    internal async Task<GateStatus> AskAsync(
        Incident incident, Runbook runbook, string gateId, CardKind kind, bool alone, CancellationToken cancellationToken)
    {
        var gate = incident.FindGate(gateId)!;
        if (gate.Outcome != GateOutcome.Pending)
        {
            // A process may have died while it sent, and its messages may have come after the answer.
            await (incident.State.IsFinal() ? Task.CompletedTask : updater.ShowGateAsync(incident, gateId, cancellationToken));
            return GateStatus.Of(incident, gateId, time.GetUtcNow());
        }

        if (!alone)
        {
            var next = await stormNotifier.AskAsync(incident, closed.FindManyAsync, cancellationToken);
            return GateStatus.Of(await store.GetAsync(incident.Id, cancellationToken), gateId, time.GetUtcNow(), next);
        }

        var (key, shown) = (gate.MessageKey, incident);
        (incident, gate, var people) = await notifier.FindPeopleAsync(incident, gate, key, gate.Approvers, cancellationToken);
        var result = await notifier.SendAsync(
            incident,
            new(key, gate.Approvers, recipient => cards.Approval(incident, runbook, gate, recipient.Name, kind))
            {
                People = people,
                Heard = incident.ToThoseWhoAnswered(gate),
            },
            cancellationToken);
        var message = result.Deliveries;
        incident = result.Incident;
        while (!Reach.IsEnough(message, gate) && incident.FindGate(gateId) is { Outcome: GateOutcome.Pending, NextFallback: { } last })
        {
            // Silence is never success: the last contact in line may decide as well.
            incident = await store.UpdateAsync(
                incident.Id, i => ApprovalSchedule.Escalate(i, gateId, [last], time.GetUtcNow()), cancellationToken);
            if (incident.FindGate(gateId) is not { Outcome: GateOutcome.Pending } open)
            {
                // Somebody answered while a channel was still being tried.
                break;
            }

            (incident, gate, people) = await notifier.FindPeopleAsync(incident, open, $"{key}:{last}", [last], cancellationToken);
            result = await notifier.SendAsync(
                incident,
                new($"{key}:{last}", [last], recipient => cards.Approval(incident, runbook, gate, recipient.Name, CardKind.Escalation)) { People = people },
                cancellationToken);
            (incident, message) = (result.Incident, [.. message, .. result.Deliveries]);
        }

        if (!Reach.IsEnough(message, gate))
        {
            incident = await store.UpdateAsync(incident.Id, i => ApprovalSchedule.AskAgain(i, gateId, time.GetUtcNow()), cancellationToken);
        }

        await updater.ShowIfAnsweredAsync(shown, incident, gateId, cancellationToken);
        return GateStatus.Of(incident, gateId, time.GetUtcNow());
    }
}

/// <param name="Findings">The answers to record; empty where they were recorded before.</param>
/// <param name="Unclear">No check failed, but the answers are too few: a person has to be asked.</param>
/// <param name="Difference">Why the approved plan no longer holds; null on the first round.</param>
public sealed record OpenGateRequest(
    string IncidentId, Phase Phase, int Round, IReadOnlyList<Finding> Findings, bool Unclear, string? Difference, string WakeEvent)
{
    public string? Step { get; init; }

    public bool Undoes { get; init; }
}

/// <summary>Asks each action to prepare without acting.</summary>
public sealed class PlanBuilder(StepCatalog catalog, StepContextFactory contexts, TimeProvider time, ILogger<PlanBuilder> logger)
{
    private const int LongestEffect = 500;

    /// <summary>Steps that ran under an earlier gate are not planned again.</summary>
    public async Task<Plan> MakeAsync(Incident incident, Runbook runbook, Phase phase, CancellationToken cancellationToken)
    {
        var steps = new List<PlannedStep>();
        var (blockers, later) = (new List<string>(), new List<string>());
        var open = runbook.CoveredBy(phase)
            .Where(covered => incident.FindStep(covered.Phase, covered.Step.Name) is not { FinishedAt: not null });
        foreach (var (stepPhase, spec) in open)
        {
            var (planned, unusable, blocker) = await PlanAsync(incident, runbook, stepPhase, spec, cancellationToken);

            // Identities of a resolution without an approval of its own are not compared: the mitigation may change them itself.
            planned = stepPhase == phase || !catalog.ChangeSomething(runbook.Mitigation.Steps)
                ? planned
                : planned with { Identity = null };
            steps.Add(planned);

            // The mitigation may change what a later step finds; faulty parameters stay faulty.
            if (stepPhase == phase && (unusable ?? blocker) is { } why)
            {
                blockers.Add($"Step '{spec.Name}': {why}");
            }
            else if (unusable is not null)
            {
                later.Add($"Step '{spec.Name}': {unusable}");
            }
        }

        return new Plan(PlanHash.Of(incident, steps), steps, Joined(blockers))
        {
            LaterBlocker = Joined(later) is { } reasons
                ? $"The resolution cannot come to its end as things are. {reasons}"
                : null,
        };
    }

    private static string? Joined(List<string> sentences) => sentences.Count == 0 ? null : string.Join(" ", sentences);

    /// <returns>Unusable: it can never run. Blocker: the preparation found that it cannot run now.</returns>
    private async Task<(PlannedStep Step, string? Unusable, string? Blocker)> PlanAsync(
        Incident incident, Runbook runbook, Phase phase, StepSpec spec, CancellationToken cancellationToken)
    {
        if (catalog.FindAction(spec.Do) is not { } action)
        {
            var unknown = new PlannedStep(phase, spec.Name, spec.Do, JsonElement.Parse("{}"), $"Run {spec.Do}.", null, null);
            return (unknown, $"this host has no action '{spec.Do}'.", null);
        }

        var binding = StepBinding.Of(spec.With, action.ParametersType, IncidentTemplateScope.Of(incident), RenderMode.Plan);
        var effect = Clip.To(action.IsManual ? ManualAction.Planned(binding.Shown) : action.Summary, LongestEffect);
        var unseen = new PlannedStep(phase, spec.Name, spec.Do, binding.Shown, effect, null, null, Deferred: true)
        {
            TellsOnly = action.TellsOnly,
        };
        if (binding.Parameters is not { } parameters)
        {
            var reversal = action.ReversalOf(spec.With);
            var undo = reversal switch
            {
                _ when action.TellsOnly => BuiltInSteps.NothingToBringBack,
                Reversal.Undone => "Possible; how depends on the steps before it.",
                Reversal.Kept => "Left to a person.",
                _ => null,
            };
            var unbound = unseen with
            {
                Undo = undo,
                UndoneByHand = reversal == Reversal.Kept || action.IsManual,
                Deferred = binding.Deferred,
            };
            return (unbound, binding.Problem, null);
        }

        var key = StepRecord.KeyOf(incident.Id, phase, spec.Name);
        var earlier = incident.FindStep(phase, spec.Name)?.Preparation;
        var context = contexts.For(incident, key, earlier) with { Samples = runbook.Samples };
        var (preparation, blocker) = await PrepareAsync(action, parameters, context, spec, binding, cancellationToken);
        if (preparation is null)
        {
            return (unseen, null, blocker);
        }

        var planned = new PlannedStep(
            phase,
            spec.Name,
            spec.Do,
            binding.Shown,
            Clip.To(preparation.PlannedEffect, LongestEffect),
            preparation.Undo,
            preparation.Identity,
            UndoneByHand: preparation.UndoneByHand)
        {
            TellsOnly = action.TellsOnly,
        };
        return (planned, null, preparation.Refusal);
    }

    private async Task<(Preparation?, string?)> PrepareAsync(
        IAction action, object parameters, StepContext context, StepSpec spec, StepBinding binding, CancellationToken cancellationToken)
    {
        try
        {
            var preparation = await Deadline.WithinAsync(
                spec.LookTimeout, time, token => action.PrepareAsync(parameters, context, token), cancellationToken);
            return (binding.Clean(preparation), null);
        }
        // An action may fail in any way to prepare; people are told why there is no plan.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.StepFailed(logger, 0, spec.Name, context.IncidentId, Redactor.Redact(failure, binding.Secrets));
            return (null, CleanText.Said(failure.Message, binding.Secrets));
        }
    }
}
