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
