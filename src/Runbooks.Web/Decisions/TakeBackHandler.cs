using Microsoft.AspNetCore.Http;
using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Web.Http;

namespace Runbooks.Web.Decisions;

/// <summary>
/// <c>POST /api/incidents/{id}/take-back</c> and the button <c>POST /incidents/{id}/take-back</c>: what the incident has
/// changed is taken back now, a temporary fix before its cause is gone, and the incident ends.
/// </summary>
public sealed class TakeBackHandler(ApprovalService approvals, HttpRequestRunner edge)
{
    private const string NotDone = "Not taken back";

    public Task<IResult> PostAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await Signed.ReadJsonAsync(request, "takes it back", "the other region is slow too", cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        var receipt = await approvals.TakeBackAsync(id, body.By, body.Reason, cancellationToken);
        return receipt.Result.Status == DecisionStatus.AlreadyCounted
            ? ApiResults.Json(DecisionResponse.Of(receipt, null))
            : DecisionResponse.Result(receipt, null);
    });

    public Task<IResult> PostFormAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (form, refusal) = await Signed.ReadFormAsync(request, NotDone, cancellationToken);
        if (form is null)
        {
            return refusal!;
        }

        var receipt = await approvals.TakeBackAsync(id, form.By, form.Reason, cancellationToken);
        return receipt.IsRepeated || receipt.Result.Status is DecisionStatus.Decided or DecisionStatus.AlreadyCounted
            ? new SeeOther($"/incidents/{Uri.EscapeDataString(id)}")
            : Signed.Refuse(NotDone, DecisionResponse.StatusOf(receipt.Result.Status), receipt.Result.Message);
    }, Caller.Person);
}
