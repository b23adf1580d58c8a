using Runbooks.Approvals;
using Runbooks.Engine;
using Runbooks.Steps;
using Runbooks.Storage;

namespace Runbooks.Incidents.Activities;

/// <summary>Which code stands behind each activity of the incident workflow.</summary>
public sealed class IncidentActivityTable(
    IIncidentStore store, PinnedRunbooks runbooks, CheckRunner checks, GateKeeper gates, StepRunner steps, Looker looker, StepUndoer undoer, Closer closer)
{
    public ActivityTable Build() => new ActivityTable()
        .Add(IncidentActivities.AskCheck, AskCheckAsync)
        .Add(IncidentActivities.OpenGate, gates.OpenAsync)
        .Add(IncidentActivities.ReviewGate, gates.ReviewAsync)
        .Add(IncidentActivities.RunStep, steps.RunAsync)
        .Add(IncidentActivities.LookAgain, looker.LookAsync)
        .Add(IncidentActivities.UndoSteps, undoer.UndoAsync)
        .Add(IncidentActivities.Page, closer.PageAsync)
        .Add(IncidentActivities.Close, closer.CloseAsync);

    public async Task<Finding> AskCheckAsync(CheckRequest request, CancellationToken cancellationToken)
    {
        var incident = await store.GetAsync(request.IncidentId, cancellationToken);
        var runbook = await runbooks.OfAsync(incident, cancellationToken);
        var spec = runbook.FindCheck(request.Check) ?? throw new InvalidOperationException($"Runbook '{runbook.Id}' has no check '{request.Check}'.");
        return await checks.AskAsync(incident, spec, cancellationToken);
    }
}
