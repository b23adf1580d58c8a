using Microsoft.AspNetCore.Routing;
using Runbooks.Web.Assistant;
using Runbooks.Web.Console;
using Runbooks.Web.Decisions;
using Runbooks.Web.Incidents;
using Runbooks.Web.Intake;
using Runbooks.Web.Safety;
using Runbooks.Web.SignIn;
using Runbooks.Web.Slack;

namespace Microsoft.AspNetCore.Builder;

public static class RunbookRoutes
{
    private static readonly string[] s_read = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Senders that ask for permission first ask at the address where they post.</summary>
    private static readonly string[] s_take = [HttpMethods.Post, HttpMethods.Options];

    /// <summary>
    /// The methods of the Model Context Protocol. Azure Functions answers 404 to a method without a handler, and a client that asked for a
    /// stream takes that for a dead server.
    /// </summary>
    private static readonly string[] s_assist = [HttpMethods.Post, HttpMethods.Get, HttpMethods.Delete];

    /// <summary>The outside contract on ASP.NET Core routing, for a host that checks keys itself.</summary>
    public static IEndpointRouteBuilder MapRunbooks(this IEndpointRouteBuilder app)
    {
        app.MapMethods(
            "/api/alerts/{source}",
            s_take,
            (HttpRequest request, string source, AlertsHandler handler) => handler.PostAsync(request, source))
            .Needs(Role.Sender, allowQuery: true);
        app.MapPost(
            "/api/runbooks/{id}/incidents", (HttpRequest request, string id, ManualStartHandler handler) => handler.PostAsync(request, id))
            .Needs(Role.Operator);
        app.MapMethods("/api/incidents", s_read, (HttpRequest request, IncidentsHandler handler) => handler.ListAsync(request))
            .Needs(Role.Viewer);
        app.MapMethods(
            "/api/incidents/{id}", s_read, (HttpRequest request, string id, IncidentsHandler handler) => handler.GetAsync(request, id))
            .Needs(Role.Viewer);
        app.MapPost(
            "/api/incidents/{id}/decision", (HttpRequest request, string id, DecisionHandler handler) => handler.PostAsync(request, id))
            .Needs(Role.Operator);
        app.MapPost(
            "/api/incidents/{id}/retry", (HttpRequest request, string id, IncidentVerbsHandler handler) => handler.RetryAsync(request, id))
            .Needs(Role.Operator);
        foreach (var verb in IncidentVerb.All)
        {
            app.MapPost(
                $"/api/incidents/{{id}}/{verb.Path}",
                (HttpRequest request, string id, IncidentVerbsHandler handler) => handler.PostAsync(request, id, verb))
                .Needs(Role.Operator);
            app.MapPost(
                $"/incidents/{{id}}/{verb.Form}",
                (HttpRequest request, string id, IncidentFormsHandler handler) => handler.PostAsync(request, id, verb))
                .PageNeeds(Role.Operator);
        }

        // No role: Slack's signature is the credential.
        app.MapPost("/api/slack/interactions", (HttpRequest request, SlackInteractionsHandler handler) => handler.PostAsync(request));
        app.MapMethods(
            "/api/incidents/{id}/audit", s_read, (HttpRequest request, string id, AuditHandler handler) => handler.GetAsync(request, id))
            .Needs(Role.Viewer);
        app.MapMethods(
            "/api/incidents/{id}/report", s_read, (HttpRequest request, string id, ReportHandler handler) => handler.GetAsync(request, id))
            .Needs(Role.Viewer);
        app.MapMethods("/api/safety", s_read, (HttpRequest request, SafetyHandler handler) => handler.GetAsync(request))
            .Needs(Role.Viewer);
        app.MapPost("/api/safety/kill", (HttpRequest request, SafetyHandler handler) => handler.KillAsync(request))
            .Needs(Role.Operator);
        app.MapPost("/api/safety/release", (HttpRequest request, SafetyHandler handler) => handler.ReleaseAsync(request))
            .Needs(Role.Admin);
        app.MapPost(
            "/api/runbooks/{id}/breaker/reset",
            (HttpRequest request, string id, SafetyHandler handler) => handler.ResetBreakerAsync(request, id))
            .Needs(Role.Admin);
        app.MapMethods(
            "/api/runbooks/{id}/report",
            s_read,
            (HttpRequest request, string id, SafetyHandler handler) => handler.ReportAsync(request, id))
            .Needs(Role.Viewer);

        app.MapMethods("/mcp", s_assist, (HttpRequest request, AssistantHandler handler) => handler.AnswerAsync(request))
            .Needs(Role.Viewer);

        // Signed links are their own credential.
        app.MapMethods(
            "/decide/{token?}", s_read, (HttpRequest request, string? token, LinkAccess links) => links.GetAsync(request, token));
        app.MapPost("/decide/{token?}", (HttpRequest request, string? token, LinkAccess links) => links.PostAsync(request, token))
            .DisableAntiforgery();

        app.MapMethods("/", s_read, (HttpRequest request, ConsoleHandler handler) => handler.ListAsync(request))
            .PageNeeds(Role.Viewer);
        app.MapMethods(
            "/incidents/{id}", s_read, (HttpRequest request, string id, ConsoleHandler handler) => handler.ShowAsync(request, id))
            .PageNeeds(Role.Viewer);
        app.MapMethods(
            "/incidents/{id}/report", s_read, (HttpRequest request, string id, ReportHandler handler) => handler.GetAsync(request, id))
            .PageNeeds(Role.Viewer);
        app.MapPost(
            "/incidents/{id}/decision", (HttpRequest request, string id, IncidentFormsHandler handler) => handler.DecideAsync(request, id))
            .PageNeeds(Role.Operator);
        app.MapPost(
            "/incidents/{id}/retry", (HttpRequest request, string id, IncidentFormsHandler handler) => handler.RetryAsync(request, id))
            .PageNeeds(Role.Operator);
        app.MapMethods(
            "/incidents/{id}/evidence/{name}",
            s_read,
            (HttpRequest request, string id, string name, EvidenceHandler handler) => handler.GetAsync(request, id, name))
            .PageNeeds(Role.Viewer);

        app.MapMethods("/unmatched", s_read, (HttpRequest request, UnmatchedHandler handler) => handler.ShowAsync(request))
            .PageNeeds(Role.Viewer);
        app.MapMethods("/statistics", s_read, (HttpRequest request, StatisticsHandler handler) => handler.ShowAsync(request))
            .PageNeeds(Role.Viewer);
        app.MapMethods("/runbooks", s_read, (HttpRequest request, RunbookPagesHandler handler) => handler.ListAsync(request))
            .PageNeeds(Role.Viewer);
        app.MapMethods(
            "/runbooks/{id}", s_read, (HttpRequest request, string id, RunbookPagesHandler handler) => handler.ShowAsync(request, id))
            .PageNeeds(Role.Viewer);
        app.MapPost(
            "/runbooks/{id}/start", (HttpRequest request, string id, RunbookPagesHandler handler) => handler.StartAsync(request, id))
            .PageNeeds(Role.Operator);

        app.MapMethods("/safety", s_read, (HttpRequest request, SafetyPageHandler handler) => handler.ShowAsync(request))
            .PageNeeds(Role.Viewer);
        app.MapPost("/safety/kill", (HttpRequest request, SafetyPageHandler handler) => handler.KillAsync(request))
            .PageNeeds(Role.Operator);
        app.MapPost("/safety/release", (HttpRequest request, SafetyPageHandler handler) => handler.ReleaseAsync(request))
            .PageNeeds(Role.Admin);
        app.MapPost(
            "/safety/breakers/{id}", (HttpRequest request, string id, SafetyPageHandler handler) => handler.ResetBreakerAsync(request, id))
            .PageNeeds(Role.Admin);

        app.MapMethods("/healthz", s_read, (HttpRequest request, HealthHandler handler) => handler.GetAsync(request));
        app.MapMethods("/assets/{name}", s_read, (HttpRequest request, string name) => AssetsHandler.Get(request, name));
        return app;
    }
}
