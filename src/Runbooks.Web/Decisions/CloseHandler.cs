using Microsoft.AspNetCore.Http;
using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Web.Http;

namespace Runbooks.Web.Decisions;

/// <summary>
/// <c>POST /api/incidents/{id}/close</c> and the form on the incident's page, <c>POST /incidents/{id}/close</c>: the end of
/// an incident that a person took over.
/// </summary>
public sealed class CloseHandler(ApprovalService approvals, HttpRequestRunner edge)
{
    private const string NotClosed = "Not closed";

    public Task<IResult> PostAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await Signed.ReadJsonAsync(request, "closes it", "restarted the node by hand", cancellationToken);
        return body is null ? refusal! : DecisionResponse.Result(await approvals.CloseAsync(id, body.By, body.Reason, cancellationToken), null);
    });

    public Task<IResult> PostFormAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (form, refusal) = await Signed.ReadFormAsync(request, NotClosed, cancellationToken);
        if (form is null)
        {
            return refusal!;
        }

        var receipt = await approvals.CloseAsync(id, form.By, form.Reason, cancellationToken);
        return receipt.Result.Status == DecisionStatus.Decided || receipt.Incident?.ClosedByHand is not null
            ? new SeeOther($"/incidents/{Uri.EscapeDataString(id)}")
            : Signed.Refuse(NotClosed, DecisionResponse.StatusOf(receipt.Result.Status), receipt.Result.Message);
    }, Caller.Person);
}
