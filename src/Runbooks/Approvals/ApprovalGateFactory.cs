using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;

namespace Runbooks.Approvals;

public static class ApprovalGateFactory
{
    /// <summary>Asked where a runbook that runs without approval has to ask after all.</summary>
    private static readonly Approval s_askAfterAll = new() { Ask = "Run this self-healing runbook on {{ target }}?", From = [] };

    /// <summary>Asked before people are asked for each of its steps.</summary>
    private static readonly Approval s_askAboutWork = new() { Ask = "Ask people to do this by hand for {{ target }}?", From = [] };

    /// <summary>Where only messages are sent, nobody is asked, unless an assistant proposed the incident.</summary>
    private static readonly Approval s_tell = new() { Ask = "Tell of {{ target }}, and change nothing?", From = [] };

    /// <summary>For a resolution that the approval of the mitigation no longer covers.</summary>
    private static Approval? AskAboutResolution(Runbook runbook, Phase phase) =>
        phase == Phase.Resolution && runbook.Mitigation.Approval is { } asked
        ? asked with { Ask = "Run the resolution on {{ target }}?", OnTimeout = OnTimeout.Abort }
        : null;

    /// <summary>A message leaves nothing to be undone. In a resolution, which is not undone, it is one of the steps.</summary>
    internal static bool CountsAsDone(StepRecord step, Phase phase) =>
        step.Phase == phase && !step.NothingDone && !(phase == Phase.Mitigation && step.Preparation.TellsOnly);

    public static Gate Make(
        Incident incident,
        Runbook runbook,
        OpenGateRequest request,
        Plan plan,
        IReadOnlyList<GuardrailViolation> violations,
        DateTimeOffset now)
    {
        var phase = request.Phase;
        var grounds = new Grounds(incident, runbook.Mitigation, request, plan, violations);
        var approval = runbook.ApprovalOf(phase) ?? AskAboutResolution(runbook, phase) ?? (plan.TellsOnly ? s_tell : IsByHand(plan) ? s_askAboutWork : s_askAfterAll);
        var scope = IncidentTemplateScope.Of(incident) with { Target = IncidentText.Target(incident.Target) };
        var gate = new Gate
        {
            Id = Gate.IdOf(phase, request.Round),
            Phase = phase,
            Round = request.Round,
            Question = Clip.To(Template.RenderLenient(approval.Ask, scope), 300),
            Plan = plan,
            Difference = request.Difference,
            IsBeforeFirstStep = (request.Round > 1 || request.Difference is not null)
                && !incident.Steps.Any(step => CountsAsDone(step, phase)),
            Warnings = grounds.Warnings,
            BlockedBy = grounds.BlockedBy,
            BlockedAt = grounds.BlockedBy is null ? null : now,

            // Statistics are no warning.
            TrackRecord = violations.FirstOrDefault(violation => violation.Severity == GuardrailSeverity.Tell)?.Why,
            Overrules = [.. violations.Where(IsWarning).Select(violation => violation.Guardrail)],
            Approvers = ApproversOf(approval, runbook),
            Required = approval.Required,
            SeparationOfDuties = approval.SeparationOfDuties,
            OwnerTeam = approval.OwnerRequired ? runbook.Owner : null,
            Fallback = FallbackOf(runbook),
            OnTimeout = approval.OnTimeout == OnTimeout.ProceedIfReversible && grounds.NeedsYes ? OnTimeout.Abort : approval.OnTimeout,
            OpenedAt = now,
            ExpiresAt = now + approval.Timeout,
            Reminders = Reminder.Of(approval.RemindAfter, approval.Escalate, approval.Timeout, now),
        };
        return Settle(gate, incident, runbook, violations, grounds.MustAsk, now);
    }

    /// <summary>Null where the runbook leaves it to the contacts' own fallback.</summary>
    internal static string? FallbackOf(Runbook runbook) => runbook.Fallback == ContactBook.Fallback ? null : runbook.Fallback;

    private static IReadOnlyList<string> ApproversOf(Approval approval, Runbook runbook) =>
        approval.OwnerRequired ? [.. approval.From.Append(runbook.Owner).Distinct(StringComparer.OrdinalIgnoreCase)]
        : approval.From.Count > 0 ? approval.From
        : [runbook.Fallback];

    /// <summary>
    /// A block that a person will lift does not close the gate. A runbook that runs without approval asks then, so that the waiting
    /// incidents do not all run at once when the block is lifted.
    /// </summary>
    private static bool CanWait(GuardrailViolation violation) =>
        violation is { Severity: GuardrailSeverity.Forbid, IsLiftedByPeople: true };

    /// <summary>
    /// Nobody was asked, nothing was done, and the checks that were asked again call for nothing. Where people are asked, they decide
    /// what one check is worth while the alert fires.
    /// </summary>
    private static bool IsNeededNoLonger(Gate gate, Incident incident, Runbook runbook, DateTimeOffset now) =>
        gate is { Phase: Phase.Mitigation, Round: > 1 }
        && runbook.ApprovalOf(gate.Phase) is null
        && incident.ConfirmedAt is not null
        && !incident.HasActed
        && !incident.Gates.Any(earlier => earlier.Decisions.Count > 0)
        && Diagnosis.Conclude(runbook.Mitigation.When, incident.SinceFiring(incident.Findings, now)) == Conclusion.Healthy;

    private static string WhyNobody(Gate gate, Runbook runbook)
    {
        var plan = gate.Plan;
        if (gate.Phase == Phase.Mitigation && runbook.Resolution.Approval is not null)
        {
            var beginning = plan.Steps.Count == 0
                ? "Nothing is done before the resolution"
                : "Nobody has to be asked about the mitigation";
            return $"{beginning}; the resolution asks for itself.";
        }

        if (plan.TellsOnly)
        {
            return "This runbook only tells; nobody had to be asked.";
        }

        return IsByHand(plan)
            ? "Its steps are done by people, who are asked for each; nobody had to be asked before."
            : "This runbook heals by itself; nobody had to be asked.";
    }

    /// <summary>Also where it tells besides.</summary>
    private static bool IsByHand(Plan plan) =>
        plan.Steps.Count > 0 && plan.Steps.All(step => step.TellsOnly || step.Action == BuiltInSteps.Person);

    /// <summary>Nothing is done before the resolution, and that asks for itself: its question has the warnings.</summary>
    private static bool LeavesItToResolution(Gate gate, Runbook runbook) =>
        gate is { Phase: Phase.Mitigation, Plan.Steps.Count: 0 } && runbook.Resolution.Approval is not null;

    private static bool IsWarning(GuardrailViolation violation) => violation.Severity == GuardrailSeverity.AskFirst;

    private static Gate Settle(
        Gate gate, Incident incident, Runbook runbook, IReadOnlyList<GuardrailViolation> violations, bool mustAsk, DateTimeOffset now)
    {
        if (incident.Stop is { } stop)
        {
            return Closed(GateOutcome.Cancelled, stop.Text);
        }

        if (Incident.RecoveredBeforeActing(incident, now))
        {
            return Closed(GateOutcome.SelfRecovered, Incident.RecoveryReason(incident));
        }

        if (IsNeededNoLonger(gate, incident, runbook, now))
        {
            var firesOn = incident.FiresOn ? $" {EndingText.NotSaidOver}" : "";
            return Closed(
                GateOutcome.SelfRecovered,
                $"Before anything was done the checks were asked again, and they no longer call for it.{firesOn}");
        }

        // A message that went out often enough is not sent again, and nobody is asked whether to.
        if (gate.Plan.TellsOnly && violations.FirstOrDefault(violation => violation.Guardrail == GuardrailNames.Limits) is { } enough)
        {
            return Closed(GateOutcome.Suppressed, enough.Why);
        }

        var strictest = violations.Where(violation => !CanWait(violation)).MaxBy(violation => violation.Severity);
        if (strictest is { Severity: > GuardrailSeverity.AskFirst })
        {
            return Closed(
                strictest.Severity switch
                {
                    GuardrailSeverity.DiagnoseOnly => GateOutcome.DiagnosedOnly,
                    GuardrailSeverity.Suppress => GateOutcome.Suppressed,
                    _ => GateOutcome.Refused,
                },
                strictest.Why);
        }

        if (gate.Plan.Blocker is { } blocker)
        {
            return Closed(GateOutcome.Refused, $"It cannot run as things are. {blocker}");
        }

        return runbook.ApprovalOf(gate.Phase) is null && (!mustAsk || LeavesItToResolution(gate, runbook))
            ? Closed(GateOutcome.Approved, WhyNobody(gate, runbook))
            : gate;

        Gate Closed(GateOutcome outcome, string why) => gate with { Outcome = outcome, ClosedAt = now, ClosedBy = why };
    }

    private sealed class Grounds(
        Incident incident, Mitigation mitigation, OpenGateRequest request, Plan plan, IReadOnlyList<GuardrailViolation> violations)
    {
        private readonly IReadOnlyList<Finding> _unmetNeeds = Diagnosis.UnmetNeeds(mitigation, request.Phase, plan, incident.Findings);

        // Nobody was asked before a resolution that comes first.
        private readonly bool _isUnclear = request.Unclear
            || incident.CheckedClaim?.Answer == RecoveryAnswer.Unclear
            || (request.Phase == Phase.Resolution && mitigation.Steps.Count == 0
                && Diagnosis.Conclude(mitigation.When, incident.Findings) == Conclusion.Unclear);

        /// <summary>A person is asked even where the runbook asks nobody. Messages need that only for a proposal.</summary>
        public bool MustAsk => incident.IsProposed || (!plan.TellsOnly && ChangesNeedPerson);

        /// <summary>Silence does not count as a yes: it overrules no warning.</summary>
        public bool NeedsYes => MustAsk || ((Warnings.Count > 0 || BlockedBy is not null) && !plan.TellsOnly);

        private bool ChangesNeedPerson =>
            _isUnclear
            || _unmetNeeds.Count > 0
            || request.Difference is not null
            || incident.EarlierNo is not null
            || incident is { Tried: not null, RetryOf: null }
            || incident.Mode == RunMode.ApproveAll
            || violations.Any(violation => IsWarning(violation) || CanWait(violation));

        public string? BlockedBy => field ??= ClosedGuards.InWords(
            [.. violations.Where(violation => violation.Severity > GuardrailSeverity.AskFirst && violation.Concerns(plan))]);

        public IReadOnlyList<string> Warnings => field ??= [.. FindWarnings().OfType<string>()];

        private IEnumerable<string?> FindWarnings() =>
        [
            OpenedByNoAlert,
            incident.EarlierNo?.Warning,
            FixThatDidNotLast,
            incident.Tried?.Warning,
            .. violations.Where(violation => IsWarning(violation) && violation.Concerns(plan)).Select(violation => violation.Why),
            _unmetNeeds.Count > 0 ? $"What the steps rely on does not pass. {Incident.Summarize(_unmetNeeds)}" : null,
            .. incident.Steps
                .Where(step => step.FinishedAt is null && !step.Preparation.TellsOnly)
                .Select(step => $"Step '{step.Name}' has begun, and may be half done."),
            WhyUnclear,
            plan.LaterBlocker,
        ];

        private string? OpenedByNoAlert =>
            incident.IsProposed && AlertIdentity.IsByHand(incident.Alert.Source)
                ? $"No alert opened this. {Clip.To(incident.Alert.Summary ?? "", 500)}"
                : null;

        private string? FixThatDidNotLast =>
            incident.Follows is not { } before ? null
            : mitigation.HoldUntil is not null ? $"The cause is back: incident {before} on this target ended when it was gone."
            : $"The last fix did not hold: incident {before} on this target was resolved before this.";

        private string? WhyUnclear =>
            _isUnclear && Diagnosis.Conclude(mitigation.When, incident.Findings) == Conclusion.Unclear
                ? Diagnosis.WhyUnclear(mitigation.When, incident.Findings)
                : null;
    }
}

public static class ManualTaskFactory
{
    private const int LongestQuestion = 300;

    public static Gate Make(Incident incident, Runbook runbook, Phase phase, string step, bool undoes, DateTimeOffset now)
    {
        var spec = runbook.FindStep(phase, step)
            ?? throw new InvalidOperationException($"Runbook '{runbook.Id}' has no step '{step}'.");
        var binding = StepBinding.Of(spec.With, typeof(ManualAction.Parameters), IncidentTemplateScope.Of(incident));
        var parameters = binding.Parameters as ManualAction.Parameters
            ?? throw new InvalidOperationException($"Step '{step}': {binding.Problem}");
        var instruction = undoes ? $"Take back what was done by hand: {parameters.Undo}" : parameters.Instruction;
        IReadOnlyList<TaskItem> checklist = undoes ? [] : [.. parameters.Checklist.Select(item => new TaskItem(item))];
        var planned = new PlannedStep(phase, step, spec.Do, binding.Shown, instruction, parameters.Undo, null);
        var gate = new Gate
        {
            Id = Gate.IdOf(phase, step, undoes),
            Phase = phase,
            Round = 1,
            Question = Clip.To(instruction, LongestQuestion),
            Plan = new Plan(PlanHash.Of(incident, [planned]), []),
            Task = new ManualTask(step, instruction, checklist, parameters.Undo, undoes),
            IsBeforeFirstStep = !undoes && !incident.Steps.Any(other => other.Name != step && ApprovalGateFactory.CountsAsDone(other, phase)),
            Approvers = parameters.Who,
            Fallback = ApprovalGateFactory.FallbackOf(runbook),
            OpenedAt = now,
            ExpiresAt = now + spec.Timeout,
            Reminders = Reminder.Of(
                parameters.RemindAfter,
                parameters.Escalate.Select(escalation => new Escalation(escalation.After, escalation.To)),
                spec.Timeout,
                now),
        };
        return !undoes && incident.Stop is { } stop
            ? gate with { Outcome = GateOutcome.Cancelled, ClosedAt = now, ClosedBy = stop.Text }
            : gate;
    }
}
