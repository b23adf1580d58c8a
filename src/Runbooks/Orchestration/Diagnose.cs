using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;
using Runbooks.Approvals;
using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;

namespace Runbooks.Orchestration;

/// <summary>Asks the checks, all at once; where they call for the mitigation it opens the first gate, and asks people when that needs them.</summary>
public sealed class Diagnose(
    IIncidentStore store, PinnedRunbooks runbooks, CheckRunner checks, ApprovalGateService gates, ActivityShutdown shutdown, ILogger<Diagnose> logger)
    : IncidentActivity<DiagnosisRequest, DiagnosisResult>(shutdown, logger)
{
    public static readonly TaskName Name = nameof(Diagnose);

    protected override async Task<DiagnosisResult> CallAsync(DiagnosisRequest input, CancellationToken stop)
    {
        var incident = await store.GetSeenAsync(input.IncidentId, stop);
        var runbook = await runbooks.OfAsync(incident, stop);

        // An attempt that was cut off may have asked people already: then what they were told stands.
        var findings = IsAsked(incident) ? incident.Findings : await checks.AskAllAsync(incident, runbook.Diagnosis, stop);
        var conclusion = Diagnosis.Conclude(runbook.Mitigation.When, findings);
        if (input.WakeEvent is not { } wake)
        {
            return new(conclusion, findings);
        }

        return conclusion == Conclusion.Healthy && !IsAsked(await store.GetAsync(incident.Id, stop))
            ? new(conclusion, findings)
            : new(conclusion, [])
            {
                Gate = await gates.OpenAsync(
                    new OpenGateRequest(incident.Id, Phase.Mitigation, 1, findings, conclusion == Conclusion.Unclear, Difference: null, wake),
                    await store.GetSeenAsync(incident.Id, stop),
                    stop),
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
