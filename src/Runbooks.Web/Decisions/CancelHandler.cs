using Microsoft.AspNetCore.Http;
using Runbooks.Approvals;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;
using Runbooks.Web.Http;

namespace Runbooks.Web.Decisions;

/// <summary><c>POST /api/incidents/{id}/cancel</c></summary>
public sealed class CancelHandler(ApprovalService approvals, HttpRequestRunner edge)
{
    private const string Example = """{"by":"ada","reason":"false alarm"}""";

    public Task<IResult> PostAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await RequestBody.ReadJsonAsync<CancelBody>(request, Example, cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        if (string.IsNullOrWhiteSpace(body.Reason) || string.IsNullOrWhiteSpace(body.By))
        {
            var missing = string.IsNullOrWhiteSpace(body.By) ? "$.by" : "$.reason";
            return ApiResults.Problem(StatusCodes.Status400BadRequest, "Say who stops it and why.", new AlertError(missing, "missing", $"Send for example {Example}"));
        }

        var receipt = await approvals.StopAsync(id, Clip.To(body.By.Trim(), 200), Clip.To(body.Reason.Trim(), 1000), cancellationToken);
        return receipt.Result.Status == DecisionStatus.AlreadyCounted
            ? ApiResults.Json(DecisionResponse.Of(receipt, null))
            : DecisionResponse.Result(receipt, null);
    });

    private sealed record CancelBody(string? By, string? Reason);
}

/// <summary>
/// <c>POST /api/incidents/{id}/close</c> and the form on the incident's page, <c>POST /incidents/{id}/close</c>: the end of
/// an incident that a person took over.
/// </summary>
public sealed class CloseHandler(ApprovalService approvals, HttpRequestRunner edge)
{
    private const string NotClosed = "Not closed";
    private const string Example = """{"by":"ada","reason":"restarted the node by hand"}""";

    public Task<IResult> PostAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await RequestBody.ReadJsonAsync<CloseBody>(request, Example, cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        if (string.IsNullOrWhiteSpace(body.Reason) || string.IsNullOrWhiteSpace(body.By))
        {
            var missing = string.IsNullOrWhiteSpace(body.By) ? "$.by" : "$.reason";
            return ApiResults.Problem(StatusCodes.Status400BadRequest, "Say who closes it and why.", new AlertError(missing, "missing", $"Send for example {Example}"));
        }

        return DecisionResponse.Result(await CloseAsync(id, body.By, body.Reason, cancellationToken), null);
    });

    /// <param name="signedIn">The person that the platform has authenticated; null where nobody signs in.</param>
    public Task<IResult> PostFormAsync(HttpRequest request, string id, string? signedIn = null) => edge.RunAsync(request, async cancellationToken =>
    {
        var (form, refusal) = await SignedForm.ReadAsync(request, signedIn, NotClosed, cancellationToken);
        if (form is null)
        {
            return refusal!;
        }

        var receipt = await CloseAsync(id, form.By, form.Reason, cancellationToken);
        return receipt.Result.Status == DecisionStatus.Decided
            ? new SeeOther($"/incidents/{Uri.EscapeDataString(id)}")
            : SignedForm.Refuse(NotClosed, DecisionResponse.StatusOf(receipt.Result.Status), receipt.Result.Message);
    }, Caller.Person);

    private Task<DecisionReceipt> CloseAsync(string id, string by, string reason, CancellationToken cancellationToken) =>
        approvals.CloseAsync(id, Clip.To(by.Trim(), 200), Clip.To(reason.Trim(), 1000), cancellationToken);

    private sealed record CloseBody(string? By, string? Reason);
}
