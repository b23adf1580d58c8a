using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using RunbookFunctions.Durable;
using Runbooks.Web.Decisions;
using Runbooks.Web.Incidents;
using Runbooks.Web.Access;
using Runbooks.Web.SignIn;

namespace RunbookFunctions.Http;

/// <summary>The API, behind a function key.</summary>
internal sealed class IncidentFunctions(IncidentsHandler incidents, DecisionHandler decisions, IncidentVerbsHandler verbs, AccessGuard access, DurableClients clients)
{
    [Function("ListIncidents")]
    public Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/incidents")] HttpRequest request) =>
        access.ApiAsync(request, Role.Viewer, () => incidents.ListAsync(request));

    [Function("ShowIncident")]
    public Task<IResult> ShowAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/incidents/{id}")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Viewer, () => incidents.GetAsync(request, id));

    [Function("DecideIncident")]
    public Task<IResult> DecideAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/decision")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Operator, () => clients.UseAsync(client, () => decisions.PostAsync(request, id)));

    [Function("CancelIncident")]
    public Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/cancel")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Operator, () => clients.UseAsync(client, () => verbs.CancelAsync(request, id)));

    [Function("CloseIncident")]
    public Task<IResult> CloseAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/close")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Operator, () => verbs.CloseAsync(request, id));

    [Function("TakeBackIncident")]
    public Task<IResult> TakeBackAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/take-back")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Operator, () => clients.UseAsync(client, () => verbs.TakeBackAsync(request, id)));

    [Function("AcknowledgeIncident")]
    public Task<IResult> AcknowledgeAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/acknowledge")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Operator, () => verbs.AcknowledgeAsync(request, id));

    [Function("RetryIncident")]
    public Task<IResult> RetryAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/retry")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Operator, () => clients.UseAsync(client, () => verbs.RetryAsync(request, id)));

    [Function("NoteIncident")]
    public Task<IResult> NoteAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/notes")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Operator, () => verbs.NoteAsync(request, id));
}
