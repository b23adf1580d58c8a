using Runbooks.Catalog.Templates;
using Runbooks.Model.Incidents;

namespace Runbooks.Execution;

/// <summary>What the placeholders of an incident's checks and steps may read.</summary>
public static class StepScope
{
    public static TemplateScope Of(Incident incident) => new()
    {
        Alert = incident.Alert,
        Target = incident.Target,
        IncidentId = incident.Id,
        Findings = incident.Findings.ToDictionary(finding => finding.Name, finding => finding.Result),
        Steps = incident.Steps.Where(step => step.FinishedAt is not null).ToDictionary(step => step.Name, step => step.Outputs),
    };
}
