using System.Text;

namespace Runbooks.Web.Incidents;

/// <summary><c>GET /api/incidents/{id}/report</c>, and the same as a part of the console: what happened, as a Markdown document; for a browser a page with graphs.</summary>
public sealed class ReportHandler(IIncidentStore store, HttpRequestRunner runner, TimeProvider time)
{
    public Task<IResult> GetAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        if (await store.FindAsync(id, cancellationToken) is not { } incident)
        {
            return Callers.NotFound(request, "No such incident", ApiResults.NoSuchIncident);
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

/// <summary><c>GET /api/incidents/{id}/audit</c>: the whole record as JSON lines, to be kept and verified elsewhere.</summary>
public sealed class AuditHandler(IIncidentStore store, HttpRequestRunner runner)
{
    public Task<IResult> GetAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
        await store.FindAsync(id, cancellationToken) is { } incident
            ? Results.Text(string.Concat(AuditTrail.Export(incident).Select(line => line + '\n')), "application/jsonl", Encoding.UTF8)
            : ApiResults.Problem(StatusCodes.Status404NotFound, ApiResults.NoSuchIncident));
}

/// <summary><c>GET /incidents/{id}/evidence/{name}</c>: what was kept, as a file to save and never as a page to run.</summary>
public sealed class EvidenceHandler(IEvidenceStore evidence, HttpRequestRunner runner)
{
    public Task<IResult> GetAsync(HttpRequest request, string id, string name) => runner.RunAsync(request, async cancellationToken =>
    {
        PageHeaders.Write(request.HttpContext.Response);
        return EvidenceName.Parse($"{id}/{name}") is { } known && await evidence.OpenAsync($"{known}", cancellationToken) is { } content
            ? Results.Stream(content, "text/plain; charset=utf-8", fileDownloadName: $"{id}-{name}")
            : Callers.NotFound(request, "No such evidence", "There is no such evidence, or it is no longer kept.");
    }, Callers.Of(request));
}
