using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Runbooks.Web.Incidents;
using Runbooks.Web.Safety;
using Runbooks.Web.Access;
using Runbooks.Web.SignIn;

namespace RunbookFunctions.Http;

/// <summary>What stops the automation, and what tells how it does; behind a function key.</summary>
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
    public Task<IResult> ResetAsync([HttpTrigger(AuthorizationLevel.Function, "post", Route = "api/runbooks/{id}/breaker/reset")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Admin, () => safety.ResetBreakerAsync(request, id));

    [Function("ReportRunbook")]
    public Task<IResult> ReportAsync([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/runbooks/{id}/report")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Viewer, () => safety.ReportAsync(request, id));

    [Function("AuditIncident")]
    public Task<IResult> AuditAsync([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/incidents/{id}/audit")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Viewer, () => audit.GetAsync(request, id));

    [Function("ReportIncident")]
    public Task<IResult> ReportIncidentAsync([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "api/incidents/{id}/report")] HttpRequest request, string id) =>
        access.ApiAsync(request, Role.Viewer, () => report.GetAsync(request, id));
}

/// <summary>The page about safety and its forms; part of the console, and as open as that is.</summary>
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
    public Task<IResult> ResetAsync([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "safety/breakers/{id}")] HttpRequest request, string id) =>
        access.PageAsync(request, Role.Admin, () => page.ResetBreakerAsync(request, id));
}
