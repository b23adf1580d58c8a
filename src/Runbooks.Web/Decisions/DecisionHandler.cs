using Microsoft.AspNetCore.Http;
using Runbooks.Approvals;
using Runbooks.Intake.Parsing;
using Runbooks.Web.Http;

namespace Runbooks.Web.Decisions;

/// <summary><c>POST /api/incidents/{id}/decision</c></summary>
public sealed class DecisionHandler(DecisionDesk desk, HttpEdge edge)
{
    private const string Via = "api";
    private const string Example = """{"decision":"approve","by":"ada","reason":"seen the graphs"}""";

    public Task<IResult> PostAsync(HttpRequest request, string id) => edge.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await RequestBody.ReadJsonAsync<DecisionBody>(request, Example, cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        if (!VerbWords.TryParse(body.Decision, out var verb))
        {
            return Wrong("$.decision", body.Decision, VerbWords.Remedy);
        }

        if (string.IsNullOrWhiteSpace(body.By))
        {
            return Wrong("$.by", body.By, "Say who decides: the record has to name a person.");
        }

        // Without a gate the decision is about the question that is open when it is recorded.
        var gate = string.IsNullOrWhiteSpace(body.Gate) ? null : body.Gate.Trim();
        var ballot = new Ballot(verb, Words.Clip(body.By.Trim(), 200), Via, VerbWords.Reason(body.Reason));
        return DecisionAnswer.Result(await desk.DecideAsync(id, gate, ballot, cancellationToken), gate);
    });

    private static IResult Wrong(string path, string? found, string remedy) =>
        Answers.Problem(StatusCodes.Status400BadRequest, "The decision is not clear.", new AlertError(path, string.IsNullOrWhiteSpace(found) ? "missing" : $"'{Words.Clip(found, 60)}'", remedy));

    private sealed record DecisionBody(string? Gate, string? Decision, string? By, string? Reason);
}
