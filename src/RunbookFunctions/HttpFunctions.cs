using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Runbooks.Web.Access;
using Runbooks.Web.Assistant;
using Runbooks.Web.Decisions;
using Runbooks.Web.Http;
using Runbooks.Web.Incidents;
using Runbooks.Web.Intake;
using Runbooks.Web.Safety;
using Runbooks.Web.SignIn;
using Runbooks.Web.Slack;

namespace RunbookFunctions;

/// <summary>The API, behind a function key.</summary>
internal sealed class IncidentFunctions(
    IncidentsHandler incidents, DecisionHandler decisions, IncidentVerbsHandler verbs, AccessGuard access, DurableClients clients)
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
        access.ApiAsync(request, Role.Operator, () => clients.UseAsync(client, () => verbs.PostAsync(request, id, IncidentVerb.Stop)));

    [Function("CloseIncident")]
    public Task<IResult> CloseAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/close")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Operator, () => verbs.PostAsync(request, id, IncidentVerb.Close));

    [Function("TakeBackIncident")]
    public Task<IResult> TakeBackAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/take-back")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Operator, () => clients.UseAsync(client, () => verbs.PostAsync(request, id, IncidentVerb.TakeBack)));

    [Function("AcknowledgeIncident")]
    public Task<IResult> AcknowledgeAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/acknowledge")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Operator, () => verbs.PostAsync(request, id, IncidentVerb.Acknowledge));

    [Function("RetryIncident")]
    public Task<IResult> RetryAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/retry")] HttpRequest request,
        string id,
        [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Operator, () => clients.UseAsync(client, () => verbs.RetryAsync(request, id)));

    [Function("NoteIncident")]
    public Task<IResult> NoteAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/incidents/{id}/notes")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Operator, () => verbs.PostAsync(request, id, IncidentVerb.Note));
}

/// <summary>The addresses for alerts, and for a person who starts a runbook.</summary>
internal sealed class AlertFunctions(
    AlertsHandler alerts, ManualStartHandler manual, SecureWebhook webhook, AccessGuard access, DurableClients clients)
{
    [Function("AlertIntake")]
    public Task<IResult> TakeAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", "options", Route = "api/alerts/{source}")] HttpRequest request,
        string source,
        [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Sender, () => clients.UseAsync(client, () => alerts.PostAsync(request, source)));

    /// <summary>For senders with a token. It needs an address of its own, since the host's key check cannot be optional.</summary>
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

internal sealed class SafetyFunctions(SafetyHandler safety, AuditHandler audit, ReportHandler report, AccessGuard access)
{
    [Function("ShowSafety")]
    public Task<IResult> ShowAsync([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/safety")] HttpRequest request) =>
        access.ApiAsync(request, Role.Viewer, () => safety.GetAsync(request));

    [Function("EngageKillSwitch")]
    public Task<IResult> KillAsync([HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/safety/kill")] HttpRequest request) =>
        access.ApiAsync(request, Role.Operator, () => safety.KillAsync(request));

    [Function("ReleaseKillSwitch")]
    public Task<IResult> ReleaseAsync([HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/safety/release")] HttpRequest request) =>
        access.ApiAsync(request, Role.Admin, () => safety.ReleaseAsync(request));

    [Function("ResetBreaker")]
    public Task<IResult> ResetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/runbooks/{id}/breaker/reset")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Admin, () => safety.ResetBreakerAsync(request, id));

    [Function("ReportRunbook")]
    public Task<IResult> ReportAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/runbooks/{id}/report")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Viewer, () => safety.ReportAsync(request, id));

    [Function("AuditIncident")]
    public Task<IResult> AuditAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/incidents/{id}/audit")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Viewer, () => audit.GetAsync(request, id));

    [Function("ReportIncident")]
    public Task<IResult> ReportIncidentAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/incidents/{id}/report")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Viewer, () => report.GetAsync(request, id));
}

/// <summary>Buttons pressed in Slack. Slack's signature is the credential, so the host asks for no key.</summary>
internal sealed class SlackFunctions(SlackInteractionsHandler slack, DurableClients clients)
{
    [Function("SlackInteractions")]
    public Task<IResult> PostAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/slack/interactions")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        clients.UseAsync(client, () => slack.PostAsync(request));
}

/// <summary>Assistants, behind a function key and the setting <c>Mcp__Enabled</c>.</summary>
internal sealed class AssistantFunctions(AssistantHandler assistant, AccessGuard access, DurableClients clients)
{
    [Function("Assistant")]
    public Task<IResult> AnswerAsync(
        [HttpTrigger(
            AuthorizationLevel.Function,
            "post",
            "get",
            "delete",
            Route = "mcp")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Viewer, () => clients.UseAsync(client, () => assistant.AnswerAsync(request)));
}

internal sealed class HealthFunctions(HealthHandler health, DurableClients clients)
{
    [Function("Health")]
    public Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "healthz")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        clients.UseAsync(client, () => health.GetAsync(request));
}
