using Microsoft.AspNetCore.Http;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Web.Http;
using Runbooks.Web.Pages;

namespace Runbooks.Web.Incidents;

/// <summary><c>GET /api/incidents/{id}/report</c>, and the same as a part of the console: what happened, as a Markdown document; for a browser a page with graphs.</summary>
public sealed class ReportHandler(IIncidentStore store, HttpRequestRunner runner, TimeProvider time)
{
    public Task<IResult> GetAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        if (await store.FindAsync(id, cancellationToken) is not { } incident)
        {
            return Callers.NotFound(request, "No such incident", "There is no such incident, or it is no longer kept.");
        }

        var runbook = await store.FindRunbookAsync(incident.RunbookHash, cancellationToken);
        if (Callers.Of(request) == Caller.Person && request.Query["as"] != "markdown")
        {
            return new PageResult<ReportPage>(new { Model = new ReportModel(incident, runbook?.Impact, time.GetUtcNow()) });
        }

        PageHeaders.Write(request.HttpContext.Response);
        return Results.Text(IncidentReport.Markdown(incident, runbook?.Impact, time.GetUtcNow()), "text/markdown; charset=utf-8");
    }, Callers.Of(request));
}
