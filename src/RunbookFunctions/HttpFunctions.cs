using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Runbooks.Web.Access;
using Runbooks.Web.Assistant;
using Runbooks.Web.Console;
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
    IncidentsHandler incidents,
    DecisionHandler decisions,
    IncidentVerbsHandler verbs,
    AccessGuard access,
    DurableClients clients)
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
    AlertsHandler alerts,
    ManualStartHandler manual,
    SecureWebhook webhook,
    AccessGuard access,
    DurableClients clients)
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

/// <summary>The kill switch, the breakers and the reports, behind a function key.</summary>
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
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/runbooks/{id}/breaker/reset")] HttpRequest request,
        string id) =>
        access.ApiAsync(request, Role.Admin, () => safety.ResetBreakerAsync(request, id));

    [Function("ReportRunbook")]
    public Task<IResult> ReportAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/runbooks/{id}/report")] HttpRequest request,
        string id) =>
        access.ApiAsync(request, Role.Viewer, () => safety.ReportAsync(request, id));

    [Function("AuditIncident")]
    public Task<IResult> AuditAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/incidents/{id}/audit")] HttpRequest request,
        string id) =>
        access.ApiAsync(request, Role.Viewer, () => audit.GetAsync(request, id));

    [Function("ReportIncident")]
    public Task<IResult> ReportIncidentAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/incidents/{id}/report")] HttpRequest request,
        string id) =>
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

/// <summary>
/// The console, for people who are signed in or have the console's key. The host lets everybody through, since a browser cannot send a function
/// key.
/// </summary>
internal sealed class ConsoleFunctions(ConsoleHandler console, EvidenceHandler evidence, ReportHandler report, AccessGuard access)
{
    /// <summary>The site's root. The host accepts no other route template for it than an optional part of length 0.</summary>
    [Function("ConsolePage")]
    public Task<IResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "{ignored:maxlength(0)?}")] HttpRequest request) =>
        access.PageAsync(request, Role.Viewer, () => console.ListAsync(request));

    [Function("IncidentPage")]
    public Task<IResult> ShowAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "incidents/{id}")] HttpRequest request, string id) =>
        access.PageAsync(request, Role.Viewer, () => console.ShowAsync(request, id));

    [Function("Evidence")]
    public Task<IResult> EvidenceAsync(
        [HttpTrigger(
            AuthorizationLevel.Anonymous,
            "get",
            "head",
            Route = "incidents/{id}/evidence/{name}")] HttpRequest request, string id, string name) =>
        access.PageAsync(request, Role.Viewer, () => evidence.GetAsync(request, id, name));

    [Function("ReportPage")]
    public Task<IResult> ReportAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "incidents/{id}/report")] HttpRequest request, string id) =>
        access.PageAsync(request, Role.Viewer, () => report.GetAsync(request, id));

    [Function("Assets")]
    public static IResult Asset(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "assets/{name}")] HttpRequest request, string name) =>
        AssetsHandler.Get(request, name);
}

/// <summary>The forms on an incident's page.</summary>
internal sealed class IncidentFormFunctions(IncidentFormsHandler forms, AccessGuard access, DurableClients clients)
{
    [Function("DecideForm")]
    public Task<IResult> DecideAsync(
        [HttpTrigger(
            AuthorizationLevel.Anonymous,
            "post",
            Route = "incidents/{id}/decision")] HttpRequest request, string id, [DurableClient] DurableTaskClient client) =>
        access.PageAsync(request, Role.Operator, () => clients.UseAsync(client, () => forms.DecideAsync(request, id)));

    [Function("StopForm")]
    public Task<IResult> StopAsync(
        [HttpTrigger(
            AuthorizationLevel.Anonymous,
            "post",
            Route = "incidents/{id}/stop")] HttpRequest request, string id, [DurableClient] DurableTaskClient client) =>
        access.PageAsync(request, Role.Operator, () => clients.UseAsync(client, () => forms.PostAsync(request, id, IncidentVerb.Stop)));

    [Function("TakeBackForm")]
    public Task<IResult> TakeBackAsync(
        [HttpTrigger(
            AuthorizationLevel.Anonymous,
            "post",
            Route = "incidents/{id}/take-back")] HttpRequest request, string id, [DurableClient] DurableTaskClient client) =>
        access.PageAsync(request, Role.Operator, () => clients.UseAsync(client, () => forms.PostAsync(request, id, IncidentVerb.TakeBack)));

    [Function("CloseForm")]
    public Task<IResult> CloseAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "incidents/{id}/close")] HttpRequest request, string id) =>
        access.PageAsync(request, Role.Operator, () => forms.PostAsync(request, id, IncidentVerb.Close));

    [Function("AcknowledgeForm")]
    public Task<IResult> AcknowledgeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "incidents/{id}/acknowledge")] HttpRequest request, string id) =>
        access.PageAsync(request, Role.Operator, () => forms.PostAsync(request, id, IncidentVerb.Acknowledge));

    [Function("RetryForm")]
    public Task<IResult> RetryAsync(
        [HttpTrigger(
            AuthorizationLevel.Anonymous,
            "post",
            Route = "incidents/{id}/retry")] HttpRequest request, string id, [DurableClient] DurableTaskClient client) =>
        access.PageAsync(request, Role.Operator, () => clients.UseAsync(client, () => forms.RetryAsync(request, id)));

    [Function("NoteForm")]
    public Task<IResult> NoteAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "incidents/{id}/notes")] HttpRequest request, string id) =>
        access.PageAsync(request, Role.Operator, () => forms.PostAsync(request, id, IncidentVerb.Note));
}

/// <summary>The pages about runbooks.</summary>
internal sealed class RunbookPageFunctions(
    RunbookPagesHandler pages,
    StatisticsHandler statistics,
    UnmatchedHandler unmatched,
    AccessGuard access,
    DurableClients clients)
{
    [Function("RunbooksPage")]
    public Task<IResult> ListAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "runbooks")] HttpRequest request) =>
        access.PageAsync(request, Role.Viewer, () => pages.ListAsync(request));

    [Function("StatisticsPage")]
    public Task<IResult> CountAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "statistics")] HttpRequest request) =>
        access.PageAsync(request, Role.Viewer, () => statistics.ShowAsync(request));

    [Function("UnmatchedPage")]
    public Task<IResult> UnmatchedAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "unmatched")] HttpRequest request) =>
        access.PageAsync(request, Role.Viewer, () => unmatched.ShowAsync(request));

    [Function("RunbookPage")]
    public Task<IResult> ShowAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "runbooks/{id}")] HttpRequest request,
        string id) =>
        access.PageAsync(request, Role.Viewer, () => pages.ShowAsync(request, id));

    [Function("StartForm")]
    public Task<IResult> StartAsync(
        [HttpTrigger(
            AuthorizationLevel.Anonymous,
            "post",
            Route = "runbooks/{id}/start")] HttpRequest request, string id, [DurableClient] DurableTaskClient client) =>
        access.PageAsync(request, Role.Operator, () => clients.UseAsync(client, () => pages.StartAsync(request, id)));
}

/// <summary>The page about safety and its forms: part of the console, with the same access.</summary>
internal sealed class SafetyPageFunctions(SafetyPageHandler page, AccessGuard access)
{
    [Function("SafetyPage")]
    public Task<IResult> ShowAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "safety")] HttpRequest request) =>
        access.PageAsync(request, Role.Viewer, () => page.ShowAsync(request));

    [Function("KillForm")]
    public Task<IResult> KillAsync([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "safety/kill")] HttpRequest request) =>
        access.PageAsync(request, Role.Operator, () => page.KillAsync(request));

    [Function("ReleaseForm")]
    public Task<IResult> ReleaseAsync([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "safety/release")] HttpRequest request) =>
        access.PageAsync(request, Role.Admin, () => page.ReleaseAsync(request));

    [Function("BreakerForm")]
    public Task<IResult> ResetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "safety/breakers/{id}")] HttpRequest request,
        string id) =>
        access.PageAsync(request, Role.Admin, () => page.ResetBreakerAsync(request, id));
}

/// <summary>The page behind an approval link. The signed token is its credential, so the host asks for no key. Where people sign in, they have to.</summary>
internal sealed class DecisionFunctions(LinkAccess links, DurableClients clients)
{
    [Function("DecisionPage")]
    public Task<IResult> ShowAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "decide/{token?}")] HttpRequest request, string? token) =>
        links.GetAsync(request, token);

    [Function("DecisionForm")]
    public Task<IResult> DecideAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "decide/{token?}")] HttpRequest request,
        string? token,
        [DurableClient] DurableTaskClient client) =>
        clients.UseAsync(client, () => links.PostAsync(request, token));
}
