using Microsoft.AspNetCore.Http;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Web.Http;

namespace Runbooks.Web.Incidents;

/// <summary><c>GET /api/incidents/{id}/report</c>, and the same as a part of the console: what happened, as a Markdown document.</summary>
public sealed class ReportHandler(IIncidentStore store, HttpRequestRunner edge, TimeProvider time)
{
    public Task<IResult> GetAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        if (await store.FindAsync(id, cancellationToken) is not { } incident)
        {
            return ApiResults.Problem(StatusCodes.Status404NotFound, "There is no such incident, or it is no longer kept.");
        }

        PageHeaders.Write(request.HttpContext.Response);
        var runbook = await store.FindRunbookAsync(incident.RunbookHash, cancellationToken);
        return Results.Text(IncidentReport.Markdown(incident, runbook?.Impact, time.GetUtcNow()), "text/markdown; charset=utf-8");
    });
}
