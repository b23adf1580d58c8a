using Microsoft.AspNetCore.Http;
using Runbooks.Approvals;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Incidents;
using Runbooks.Web.Http;

namespace Runbooks.Web.Decisions;

/// <summary><c>POST /api/incidents/{id}/cancel</c></summary>
public sealed class CancelHandler(DecisionDesk desk, HttpEdge edge)
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
            return Answers.Problem(StatusCodes.Status400BadRequest, "Say who stops it and why.", new AlertError(missing, "missing", $"Send for example {Example}"));
        }

        var receipt = await desk.StopAsync(id, Words.Clip(body.By.Trim(), 200), Words.Clip(body.Reason.Trim(), 1000), cancellationToken);
        return receipt.Result.Status == DecisionStatus.AlreadyCounted
            ? Answers.Json(DecisionAnswer.Of(receipt, null))
            : DecisionAnswer.Result(receipt, null);
    });

    private sealed record CancelBody(string? By, string? Reason);
}

/// <summary>
/// <c>POST /api/incidents/{id}/close</c> and the form on the incident's page, <c>POST /incidents/{id}/close</c>: the end of
/// an incident that a person took over.
/// </summary>
public sealed class CloseHandler(DecisionDesk desk, HttpEdge edge)
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
            return Answers.Problem(StatusCodes.Status400BadRequest, "Say who closes it and why.", new AlertError(missing, "missing", $"Send for example {Example}"));
        }

        return DecisionAnswer.Result(await CloseAsync(id, body.By, body.Reason, cancellationToken), null);
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
            : SignedForm.Refuse(NotClosed, DecisionAnswer.StatusOf(receipt.Result.Status), receipt.Result.Message);
    }, Caller.Person);

    private Task<DecisionReceipt> CloseAsync(string id, string by, string reason, CancellationToken cancellationToken) =>
        desk.CloseAsync(id, Words.Clip(by.Trim(), 200), Words.Clip(reason.Trim(), 1000), cancellationToken);

    private sealed record CloseBody(string? By, string? Reason);
}
