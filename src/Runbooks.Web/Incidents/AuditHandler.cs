using System.Text;
using Microsoft.AspNetCore.Http;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Web.Http;

namespace Runbooks.Web.Incidents;

/// <summary><c>GET /api/incidents/{id}/audit</c>: the whole record as JSON lines, to be kept and verified elsewhere.</summary>
public sealed class AuditHandler(IIncidentStore store, HttpRequestRunner runner)
{
    public Task<IResult> GetAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
        await store.FindAsync(id, cancellationToken) is { } incident
            ? Results.Text(string.Concat(AuditTrail.Export(incident).Select(line => line + '\n')), "application/jsonl", Encoding.UTF8)
            : ApiResults.Problem(StatusCodes.Status404NotFound, "There is no such incident, or it is no longer kept."));
}
