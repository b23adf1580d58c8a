using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Runbooks.Approvals;
using Runbooks.Engine;
using Runbooks.Execution;
using Runbooks.Model.Incidents;
using Runbooks.Orchestration;
using Runbooks.Watchdog;

namespace RunbookFunctions;

/// <summary>
/// The incident's orchestration and its activities: one function for each class, with the class's name. Each activity binds a client: one that
/// ends an incident, or verifies it again after its end, starts the next one and wakes those that waited.
/// </summary>
internal sealed class OrchestrationFunctions(
    Diagnose diagnose,
    OpenGate openGate,
    ReviewGate reviewGate,
    RunSteps runSteps,
    Recheck recheck,
    UndoSteps undoSteps,
    CheckSuppression checkSuppression,
    PagePerson pagePerson,
    EndIncident endIncident,
    DurableClients clients)
{
    [Function(nameof(IncidentOrchestrator))]
    public static Task<IncidentOutcome> RunIncidentAsync([OrchestrationTrigger] TaskOrchestrationContext context, IncidentInput input) =>
        new IncidentOrchestrator().RunAsync(context, input);

    [Function(nameof(Diagnose))]
    public Task<DiagnosisResult> DiagnoseAsync(
        [ActivityTrigger] DiagnosisRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => diagnose.RunAsync(request, cancellationToken));

    [Function(nameof(CheckSuppression))]
    public Task<SuppressionResult> CheckSuppressionAsync(
        [ActivityTrigger] SuppressionRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => checkSuppression.RunAsync(request, cancellationToken));

    [Function(nameof(OpenGate))]
    public Task<GateStatus> OpenGateAsync(
        [ActivityTrigger] OpenGateRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => openGate.RunAsync(request, cancellationToken));

    [Function(nameof(ReviewGate))]
    public Task<GateStatus> ReviewGateAsync(
        [ActivityTrigger] ReviewGateRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => reviewGate.RunAsync(request, cancellationToken));

    [Function(nameof(RunSteps))]
    public Task<PhaseResult> RunStepsAsync(
        [ActivityTrigger] RunStepsRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => runSteps.RunAsync(request, cancellationToken));

    [Function(nameof(Recheck))]
    public Task<RecheckResult> RecheckAsync(
        [ActivityTrigger] RecheckRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => recheck.RunAsync(request, cancellationToken));

    [Function(nameof(UndoSteps))]
    public Task<UndoResult> UndoStepsAsync(
        [ActivityTrigger] UndoRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => undoSteps.RunAsync(request, cancellationToken));

    [Function(nameof(PagePerson))]
    public Task<bool> PagePersonAsync(
        [ActivityTrigger] PageRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => pagePerson.RunAsync(request, cancellationToken));

    [Function(nameof(EndIncident))]
    public Task<IncidentState> EndIncidentAsync(
        [ActivityTrigger] CloseRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => endIncident.RunAsync(request, cancellationToken));
}

/// <summary>The host runs each timer on one instance at a time, however many there are.</summary>
internal sealed class WatchdogFunctions(IncidentWatchdog watch, Retention retention, DurableClients clients)
{
    [Function(nameof(IncidentWatchdog))]
    public Task CheckAsync(
        [TimerTrigger("0 * * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => watch.CheckAsync(cancellationToken));

    [Function(nameof(Retention))]
    public Task PurgeAsync(
        [TimerTrigger("0 30 4 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => retention.RunAsync(cancellationToken));
}
