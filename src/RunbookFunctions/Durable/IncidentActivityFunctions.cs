using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Runbooks.Approvals;
using Runbooks.Incidents;
using Runbooks.Incidents.Activities;
using Runbooks.Steps;

namespace RunbookFunctions.Durable;

/// <summary>One function for each activity. Its name is the activity's own: a test holds the two together.</summary>
internal sealed class IncidentActivityFunctions(
    IncidentActivityTable activities, GateKeeper gates, StepRunner steps, Looker looker, StepUndoer undoer, Closer closer, DurableClients clients)
{
    [Function(nameof(IncidentActivities.AskCheck))]
    public Task<Finding> AskCheckAsync([ActivityTrigger] CheckRequest request, CancellationToken stop) => activities.AskCheckAsync(request, stop);

    [Function(nameof(IncidentActivities.OpenGate))]
    public Task<GateView> OpenGateAsync([ActivityTrigger] GateRequest request, CancellationToken stop) => gates.OpenAsync(request, stop);

    [Function(nameof(IncidentActivities.ReviewGate))]
    public Task<GateView> ReviewGateAsync([ActivityTrigger] GateReview request, CancellationToken stop) => gates.ReviewAsync(request, stop);

    [Function(nameof(IncidentActivities.RunStep))]
    public Task<StepReport> RunStepAsync([ActivityTrigger] StepRequest request, CancellationToken stop) => steps.RunAsync(request, stop);

    [Function(nameof(IncidentActivities.LookAgain))]
    public Task<LookReport> LookAgainAsync([ActivityTrigger] LookRequest request, [DurableClient] DurableTaskClient client, CancellationToken stop) =>
        clients.UseAsync(client, () => looker.LookAsync(request, stop));

    [Function(nameof(IncidentActivities.UndoSteps))]
    public Task<UndoReport> UndoStepsAsync([ActivityTrigger] UndoRequest request, CancellationToken stop) => undoer.UndoAsync(request, stop);

    [Function(nameof(IncidentActivities.Page))]
    public Task<bool> PageAsync([ActivityTrigger] PageRequest request, CancellationToken stop) => closer.PageAsync(request, stop);

    [Function(nameof(IncidentActivities.Close))]
    public Task<IncidentState> CloseAsync([ActivityTrigger] CloseRequest request, CancellationToken stop) => closer.CloseAsync(request, stop);
}
