using Runbooks.Approvals;
using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;

namespace Runbooks.Orchestration;

/// <summary>Asks the checks of the diagnosis, and goes on to ask people where the answers call for the mitigation.</summary>
public sealed class DiagnosisService(IIncidentStore store, PinnedRunbooks runbooks, CheckService checks, ApprovalGateService gates)
{
    public async Task<DiagnosisResult> DiagnoseAsync(DiagnosisRequest request, CancellationToken cancellationToken)
    {
        var incident = await store.GetSeenAsync(request.IncidentId, cancellationToken);
        var runbook = await runbooks.OfAsync(incident, cancellationToken);

        // An attempt that was cut off may have asked people already: then what they were told stands.
        var findings = IsAsked(incident) ? incident.Findings : await checks.DiagnoseAsync(incident, runbook, cancellationToken);
        var conclusion = Diagnosis.Conclude(runbook.Mitigation.When, findings);
        if (request.WakeEvent is not { } wake)
        {
            return new(conclusion, findings);
        }

        return conclusion == Conclusion.Healthy && !IsAsked(await store.GetAsync(incident.Id, cancellationToken))
            ? new(conclusion, findings)
            : new(conclusion, [])
            {
                Gate = await gates.OpenAsync(
                    new OpenGateRequest(incident.Id, Phase.Mitigation, 1, findings, conclusion == Conclusion.Unclear, Difference: null, wake),
                    await store.GetSeenAsync(incident.Id, cancellationToken),
                    cancellationToken),
            };
    }

    private static bool IsAsked(Incident incident) => incident.FindGate(Gate.IdOf(Phase.Mitigation, 1)) is not null;
}

/// <param name="WakeEvent">The event that the workflow waits for when people are asked; null where they are not to be asked yet.</param>
public sealed record DiagnosisRequest(string IncidentId, string? WakeEvent);

/// <param name="Findings">The answers that are not on record yet.</param>
public sealed record DiagnosisResult(Conclusion Conclusion, IReadOnlyList<Finding> Findings)
{
    /// <summary>The gate that was opened, where the answers call for the mitigation or say too little.</summary>
    public GateStatus? Gate { get; init; }
}
