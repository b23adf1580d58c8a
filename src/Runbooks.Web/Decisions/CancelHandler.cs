using Microsoft.AspNetCore.Http;
using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Web.Http;

namespace Runbooks.Web.Decisions;

/// <summary><c>POST /api/incidents/{id}/cancel</c></summary>
public sealed class CancelHandler(ApprovalService approvals, HttpRequestRunner edge)
{
    public Task<IResult> PostAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await Signed.ReadJsonAsync(request, "stops it", "false alarm", cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        var receipt = await approvals.StopAsync(id, body.By, body.Reason, cancellationToken);
        return receipt.Result.Status == DecisionStatus.AlreadyCounted
            ? ApiResults.Json(DecisionResponse.Of(receipt, null))
            : DecisionResponse.Result(receipt, null);
    });
}
