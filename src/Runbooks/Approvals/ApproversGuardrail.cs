namespace Runbooks.Approvals;

/// <summary>An approver may have been taken out of the contacts while the step waited.</summary>
public sealed class ApproversGuardrail(ApproverRules approvers) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken) =>
        question is { AboutToRun: true, Gate: { Outcome: GateOutcome.Approved } gate } && !question.Incident.HasActedOn(gate)
        && await approvers.FindLostAsync(gate, cancellationToken) is { } lost
            ? new(GuardrailNames.Approvers, lost, GuardrailSeverity.AskFirst)
            : null;
}
