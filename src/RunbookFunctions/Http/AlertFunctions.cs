using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using RunbookFunctions.Durable;
using Runbooks.Web.Intake;
using Runbooks.Web.Access;
using Runbooks.Web.SignIn;

namespace RunbookFunctions.Http;

/// <summary>The ways in for alerts, and for a person who starts a runbook.</summary>
internal sealed class AlertFunctions(AlertsHandler alerts, ManualStartHandler manual, SecureWebhook webhook, AccessGuard access, DurableClients clients)
{
    [Function("AlertIntake")]
    public Task<IResult> TakeAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", "options", Route = "api/alerts/{source}")] HttpRequest request,
        string source,
        [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Sender, () => clients.UseAsync(client, () => alerts.PostAsync(request, source)));

    /// <summary>The same for senders that show a token: the host's key check cannot be one of two ways in on one address.</summary>
    [Function("SecureAlertIntake")]
    public Task<IResult> TakeSecurelyAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", "options", Route = "api/secure/alerts/{source}")] HttpRequest request,
        string source,
        [DurableClient] DurableTaskClient client) =>
        webhook.GuardAsync(request, source, () => clients.UseAsync(client, () => alerts.PostAsync(request, source)));

    [Function("StartIncident")]
    public Task<IResult> StartAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/runbooks/{id}/incidents")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Operator, () => clients.UseAsync(client, () => manual.PostAsync(request, id)));
}
