using Microsoft.AspNetCore.Http;
using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Web.Http;

namespace Runbooks.Web.Decisions;

/// <summary><c>POST /api/incidents/{id}/notes</c></summary>
public sealed class NotesHandler(IncidentNotes notes, HttpRequestRunner edge)
{
    public Task<IResult> PostAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await Signed.ReadJsonAsync(request, "writes it", "the vendor confirmed a bad batch", cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        var receipt = await notes.AddAsync(id, body.By, body.Reason, cancellationToken);
        return receipt.Result.Status == DecisionStatus.AlreadyCounted
            ? ApiResults.Json(DecisionResponse.Of(receipt, null))
            : DecisionResponse.Result(receipt, null);
    });
}
