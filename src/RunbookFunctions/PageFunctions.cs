using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Runbooks.Web.Access;
using Runbooks.Web.Console;
using Runbooks.Web.Decisions;
using Runbooks.Web.Http;
using Runbooks.Web.Incidents;
using Runbooks.Web.Safety;
using Runbooks.Web.SignIn;

namespace RunbookFunctions;

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

internal sealed class RunbookPageFunctions(
    RunbookPagesHandler pages, StatisticsHandler statistics, UnmatchedHandler unmatched, AccessGuard access, DurableClients clients)
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
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "runbooks/{id}")] HttpRequest request, string id) =>
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
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "safety/breakers/{id}")] HttpRequest request, string id) =>
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
