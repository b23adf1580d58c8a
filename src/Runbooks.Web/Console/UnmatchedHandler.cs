using Microsoft.AspNetCore.Http;
using Runbooks.Intake;
using Runbooks.Web.Http;
using Runbooks.Web.Pages;

namespace Runbooks.Web.Console;

/// <summary><c>GET /unmatched</c>: the alerts that no runbook is for.</summary>
public sealed class UnmatchedHandler(UnmatchedAlerts alerts, TimeProvider time, HttpRequestRunner runner)
{
    public Task<IResult> ShowAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
        new PageResult<UnmatchedPage>(new { Alerts = await alerts.ReadAsync(cancellationToken), Now = time.GetUtcNow() }), Caller.Person);
}
