using System.Text;
using Microsoft.AspNetCore.Http;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Web.Http;

namespace Runbooks.Web.Incidents;

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
