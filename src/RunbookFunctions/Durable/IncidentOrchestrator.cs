using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Runbooks.Incidents;

namespace RunbookFunctions.Durable;

internal static class IncidentOrchestrator
{
    [Function(IncidentWorkflow.Name)]
    public static Task<IncidentState> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context, IncidentInput input) =>
        IncidentWorkflow.RunAsync(new DurableWorkflowContext(context), input);
}
