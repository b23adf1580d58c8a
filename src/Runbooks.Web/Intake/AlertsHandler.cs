using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Runbooks.Intake;
using Runbooks.Intake.Parsing;
using Runbooks.Web.Http;

namespace Runbooks.Web.Intake;

/// <summary><c>POST /api/alerts/{source}</c></summary>
public sealed class AlertsHandler(AlertReader reader, IncidentIntake intake, HttpRequestRunner edge, ILogger<AlertsHandler> logger)
{
    public Task<IResult> PostAsync(HttpRequest request, string source) =>
        edge.RunAsync(request, cancellationToken => TakeAsync(request, source, cancellationToken), Caller.Sender);

    private async Task<IResult> TakeAsync(HttpRequest request, string source, CancellationToken cancellationToken)
    {
        if (!reader.Knows(source))
        {
            return ApiResults.Problem(StatusCodes.Status404NotFound, $"This sender is not known. Known: {string.Join(", ", reader.Sources)}.");
        }

        if (await RequestBody.ReadAsync(request, RequestBody.MaxAlerts, cancellationToken) is not { } body)
        {
            return ApiResults.TooLarge(RequestBody.MaxAlerts);
        }

        var parsed = reader.Read(source, body);
        if (parsed.Errors.Count > 0)
        {
            Log.PostRefused(logger, source, string.Join(" | ", parsed.Errors));
        }

        if (parsed.IsRefused)
        {
            return ApiResults.Problem(StatusCodes.Status400BadRequest, "The post could not be understood.", parsed.Errors);
        }

        var outcomes = await intake.TakeAsync(parsed.Alerts, cancellationToken);
        return ApiResults.Json(new IntakeResponse(outcomes, parsed.Errors.Count == 0 ? null : parsed.Errors), StatusCodes.Status202Accepted);
    }
}

/// <param name="Errors">Alerts of the same post that could not be understood; left out when there are none.</param>
internal sealed record IntakeResponse(
    IReadOnlyList<IntakeOutcome> Incidents,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<AlertError>? Errors);
