using Microsoft.AspNetCore.Http;
using Runbooks.Alerts;
using Runbooks.Approvals;
using Runbooks.Web.Decisions;
using Runbooks.Web.Edge;
using Runbooks.Web.Pages;

namespace Runbooks.Web.Incidents;

/// <summary>
/// <c>POST /api/incidents/{id}/close</c> and the form on the incident's page, <c>POST /incidents/{id}/close</c>: the end of
/// an incident that a person took over.
/// </summary>
public sealed class CloseHandler(DecisionDesk desk, HttpEdge edge)
{
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

    public Task<IResult> PostFormAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        if (!SameOrigin.Allows(request))
        {
            return Message(StatusCodes.Status403Forbidden, "This was sent from another site. Open the incident and close it there.");
        }

        var form = await SmallForm.ReadAsync(request, cancellationToken);
        var (by, reason) = (form?["by"].ToString() ?? "", form?["reason"].ToString() ?? "");
        if (string.IsNullOrWhiteSpace(by) || string.IsNullOrWhiteSpace(reason))
        {
            return Message(StatusCodes.Status400BadRequest, "Say who closes it and why: go back and fill in both fields.");
        }

        var receipt = await CloseAsync(id, by, reason, cancellationToken);
        return receipt.Result.Status == DecisionStatus.Decided
            ? SeeOther($"/incidents/{Uri.EscapeDataString(id)}")
            : Message(DecisionAnswer.StatusOf(receipt.Result.Status), receipt.Result.Message);
    }, Caller.Person);

    private Task<DecisionReceipt> CloseAsync(string id, string by, string reason, CancellationToken cancellationToken) =>
        desk.CloseAsync(id, Words.Clip(by.Trim(), 200), Words.Clip(reason.Trim(), 1000), cancellationToken);

    private static PageResult<MessagePage> Message(int status, string text) => new(new { Title = "Not closed", Text = text, Home = true }, status);

    /// <summary>After a form the browser asks for the page anew, so that going back does not send the form again.</summary>
    private static SeeOtherResult SeeOther(string to) => new(to);

    private sealed record SeeOtherResult(string To) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
            httpContext.Response.Headers.Location = To;
            return Task.CompletedTask;
        }
    }

    private sealed record CloseBody(string? By, string? Reason);
}
