using Microsoft.AspNetCore.Http;
using Runbooks.Approvals;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;
using Runbooks.Web.Http;

namespace Runbooks.Web.Decisions;

/// <summary>
/// <c>POST /api/incidents/{id}/acknowledge</c> and the form on the incident's page, <c>POST /incidents/{id}/acknowledge</c>:
/// somebody sees to what an end left to a person.
/// </summary>
public sealed class AcknowledgeHandler(ApprovalService approvals, HttpRequestRunner edge)
{
    private const string NotDone = "Not acknowledged";
    private const string Example = """{"by":"ada","note":"I look at the node"}""";

    public Task<IResult> PostAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await RequestBody.ReadJsonAsync<AcknowledgeBody>(request, Example, cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        if (string.IsNullOrWhiteSpace(body.By))
        {
            return ApiResults.Problem(StatusCodes.Status400BadRequest, "Say who acknowledges it.", new AlertError("$.by", "missing", $"Send for example {Example}"));
        }

        var receipt = await AcknowledgeAsync(id, body.By, body.Note, cancellationToken);
        return receipt.Result.Status == DecisionStatus.AlreadyCounted
            ? ApiResults.Json(DecisionResponse.Of(receipt, null))
            : DecisionResponse.Result(receipt, null);
    });

    public Task<IResult> PostFormAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (form, refusal) = await Signed.ReadFormAsync(request, NotDone, cancellationToken, reasonNeeded: false);
        if (form is null)
        {
            return refusal!;
        }

        var receipt = await AcknowledgeAsync(id, form.By, form.Reason, cancellationToken);
        return receipt.Result.Status is DecisionStatus.Decided or DecisionStatus.AlreadyCounted
            ? new SeeOther($"/incidents/{Uri.EscapeDataString(id)}")
            : Signed.Refuse(NotDone, DecisionResponse.StatusOf(receipt.Result.Status), receipt.Result.Message);
    }, Caller.Person);

    private Task<DecisionReceipt> AcknowledgeAsync(string id, string by, string? note, CancellationToken cancellationToken) =>
        approvals.AcknowledgeAsync(id, TypedText.Name(by), DecisionVerbText.Reason(note), cancellationToken);

    private sealed record AcknowledgeBody(string? By, string? Note);
}
