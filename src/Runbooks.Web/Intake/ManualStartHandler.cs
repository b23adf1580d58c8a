using Runbooks.Web.Decisions;

namespace Runbooks.Web.Intake;

/// <summary><c>POST /api/runbooks/{id}/incidents</c></summary>
public sealed class ManualStartHandler(ManualStart manual, HttpRequestRunner runner)
{
    private const string Example = """{"labels":{"pod":"llm-b-0"},"by":"ada"}""";

    private const string Nobody = "the API key's holder";

    public Task<IResult> PostAsync(HttpRequest request, string id) =>
        runner.RunAsync(request, cancellationToken => StartAsync(request, id, cancellationToken), Caller.Sender);

    private async Task<IResult> StartAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var (body, refusal) = await RequestBody.ReadJsonAsync<StartBody>(request, Example, cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        if (Labels(body.Labels, out var wrong) is not { } labels)
        {
            return ApiResults.Problem(StatusCodes.Status400BadRequest, "The labels cannot be used.", wrong!);
        }

        var by = string.IsNullOrWhiteSpace(body.By) ? Nobody : TypedText.Name(body.By);
        var started = await manual.StartAsync(id, labels, by, DecisionVerbText.Reason(body.Reason), cancellationToken);
        return started.Outcome is { } outcome
            ? ApiResults.Json(new IntakeResponse([outcome]), StatusCodes.Status202Accepted)
            : ApiResults.Problem(
                started.Problem == ManualStartProblem.NoSuchRunbook ? StatusCodes.Status404NotFound : StatusCodes.Status400BadRequest,
                string.Join(" ", started.Errors));
    }

    /// <returns>Null when a label cannot be used, or when there are too many.</returns>
    internal static IReadOnlyDictionary<string, string>? Labels(IReadOnlyDictionary<string, JsonElement>? given, out AlertError? wrong)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in given ?? new Dictionary<string, JsonElement>())
        {
            if (labels.Count == AlertLimits.Labels
                || name.Length > AlertLimits.LabelName
                || TypedText.Of(value) is not { Length: <= AlertLimits.LabelValue } text)
            {
                wrong = new(
                    $"$.labels.{Clip.To(name, 60)}",
                    value.ValueKind.ToString(),
                    $"Give at most {AlertLimits.Labels} labels, each a text of at most {AlertLimits.LabelValue} characters.");
                return null;
            }

            labels[CleanText.Line(name)] = text;
        }

        wrong = null;
        return labels;
    }

    private sealed record StartBody(Dictionary<string, JsonElement>? Labels, string? By, string? Reason);
}
