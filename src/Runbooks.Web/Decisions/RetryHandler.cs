using Microsoft.AspNetCore.Http;
using Runbooks.Approvals;
using Runbooks.Intake;
using Runbooks.Model.Incidents;
using Runbooks.Web.Http;

namespace Runbooks.Web.Decisions;

/// <summary><c>POST /api/incidents/{id}/retry</c></summary>
public sealed class RetryHandler(IncidentRetry retry, HttpRequestRunner edge)
{
    public Task<IResult> PostAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await Signed.ReadJsonAsync(request, "has it tried again", "the node is back", cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        var result = await retry.RetryAsync(id, body.By, body.Reason, cancellationToken);
        return result.Status == DecisionStatus.NotFound
            ? ApiResults.Problem(StatusCodes.Status404NotFound, result.Message)
            : ApiResults.Json(new { result.Incident, RetryOf = id, result.Message }, result.Status == DecisionStatus.Decided ? StatusCodes.Status202Accepted : StatusCodes.Status409Conflict);
    });
}
