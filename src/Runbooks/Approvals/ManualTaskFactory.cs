using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Approvals;

/// <summary>Asks a person to do a step by hand: a gate like any other, whose yes says that it is done.</summary>
public static class ManualTaskFactory
{
    private const int LongestQuestion = 300;

    /// <param name="undoes">They are asked to take back what was done.</param>
    public static Gate Make(Incident incident, Runbook runbook, Phase phase, string step, bool undoes, DateTimeOffset now)
    {
        var spec = runbook.FindStep(phase, step) ?? throw new InvalidOperationException($"Runbook '{runbook.Id}' has no step '{step}'.");
        var binding = StepBinding.Of(spec.With, typeof(ManualAction.Parameters), IncidentTemplateScope.Of(incident));
        var parameters = binding.Parameters as ManualAction.Parameters ?? throw new InvalidOperationException($"Step '{step}': {binding.Problem ?? "its parameters need outputs that no step gave."}");
        var instruction = undoes ? $"Take back what was done by hand: {parameters.Undo}" : parameters.Instruction;
        var gate = new Gate
        {
            Id = Gate.IdOf(phase, step, undoes),
            Phase = phase,
            Round = 1,
            Question = Clip.To(instruction, LongestQuestion),
            Plan = new Plan(PlanHash.Of(incident, [new PlannedStep(phase, step, spec.Do, binding.Shown, instruction, parameters.Undo, null)]), []),
            Task = new ManualTask(step, instruction, undoes ? [] : [.. parameters.Checklist.Select(item => new TaskItem(item))], parameters.Undo, undoes),
            Approvers = parameters.Who,
            Fallback = runbook.Fallback == Approval.FallbackContact ? null : runbook.Fallback,
            OpenedAt = now,
            ExpiresAt = now + spec.Timeout,
            Reminders = Reminder.Of(parameters.RemindAfter, parameters.Escalate.Select(one => new Escalation(one.After, one.To)), spec.Timeout, now),
        };
        return !undoes && incident.Stop is { } stop
            ? gate with { Outcome = GateOutcome.Cancelled, ClosedAt = now, ClosedBy = stop.Words }
            : gate;
    }
}
