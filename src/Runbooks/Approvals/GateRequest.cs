using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Approvals;

/// <param name="Findings">The answers to record; empty where they were recorded before.</param>
/// <param name="Unclear">Nothing failed, but something could not be answered: a person has to be asked in any case.</param>
/// <param name="Difference">Why the plan that was approved before no longer holds; null on the first round.</param>
/// <param name="WakeEvent">The event that the workflow waits for next.</param>
public sealed record GateRequest(
    string IncidentId, Phase Phase, int Round, IReadOnlyList<Finding> Findings, bool Unclear, string? Difference, string WakeEvent);
