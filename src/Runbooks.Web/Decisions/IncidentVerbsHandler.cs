namespace Runbooks.Web.Decisions;

/// <summary>
/// What people do with an incident beside deciding: <c>POST /api/incidents/{id}/cancel</c>, <c>/close</c>, <c>/acknowledge</c>,
/// <c>/take-back</c>, <c>/retry</c> and <c>/notes</c>.
/// </summary>
public sealed class IncidentVerbsHandler(IncidentVerbService verbs, IncidentRetry retry, HttpRequestRunner runner)
{
    /// <summary>The other reasons are cut: nobody who stops something is sent back for a shorter one.</summary>
    internal static readonly string LongNote = $"A note has at most {Attribution.LongestReason} characters. Nothing was recorded.";
    private const string AcknowledgeExample = """{"by":"ada","note":"I look at the node"}""";

    public Task<IResult> CancelAsync(HttpRequest request, string id) =>
        AttributedAsync(request, "stops it", "false alarm", async (body, cancellationToken) => DecisionResponse.Result(await verbs.StopAsync(id, body.By, body.Reason, cancellationToken)));

    /// <summary>The end of an incident that a person took over.</summary>
    public Task<IResult> CloseAsync(HttpRequest request, string id) =>
        AttributedAsync(request, "closes it", "restarted the node by hand", async (body, cancellationToken) => DecisionResponse.Result(await verbs.CloseAsync(id, body.By, body.Reason, cancellationToken)));

    /// <summary>What the incident has changed is taken back now, a temporary fix before its cause is gone, and the incident ends.</summary>
    public Task<IResult> TakeBackAsync(HttpRequest request, string id) =>
        AttributedAsync(request, "takes it back", "the other region is slow too", async (body, cancellationToken) => DecisionResponse.Result(await verbs.TakeBackAsync(id, body.By, body.Reason, cancellationToken)));

    public Task<IResult> NoteAsync(HttpRequest request, string id) =>
        AttributedAsync(request, "writes it", "the vendor confirmed a bad batch", async (body, cancellationToken) => body.IsCut
            ? ApiResults.Problem(StatusCodes.Status400BadRequest, LongNote, new AlertError("$.reason", $"more than {Attribution.LongestReason} characters", "Send it in several notes, or a link to it."))
            : DecisionResponse.Result(await verbs.AddNoteAsync(id, body.By, body.Reason, cancellationToken)));

    public Task<IResult> RetryAsync(HttpRequest request, string id) => AttributedAsync(request, "has it tried again", "the node is back", async (body, cancellationToken) =>
    {
        var result = await retry.RetryAsync(id, body.By, body.Reason, cancellationToken);
        return result.Status == DecisionStatus.NotFound
            ? ApiResults.Problem(StatusCodes.Status404NotFound, result.Message)
            : ApiResults.Json(new { result.Incident, RetryOf = id, result.Message }, result.Status is DecisionStatus.Decided or DecisionStatus.AlreadyCounted ? StatusCodes.Status202Accepted : StatusCodes.Status409Conflict);
    });

    /// <summary>Somebody sees to what an end left to a person; what they do about it may stay unsaid.</summary>
    public Task<IResult> AcknowledgeAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await RequestBody.ReadJsonAsync<AcknowledgeBody>(request, AcknowledgeExample, cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        return string.IsNullOrWhiteSpace(body.By)
            ? ApiResults.Problem(StatusCodes.Status400BadRequest, "Say who acknowledges it.", new AlertError("$.by", "missing", $"Send for example {AcknowledgeExample}"))
            : DecisionResponse.Result(await verbs.AcknowledgeAsync(id, TypedText.Name(body.By), DecisionVerbText.Reason(body.Note), cancellationToken));
    });

    private Task<IResult> AttributedAsync(HttpRequest request, string does, string reason, Func<Attribution, CancellationToken, Task<IResult>> work) => runner.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await Attribution.ReadJsonAsync(request, does, reason, cancellationToken);
        return body is null ? refusal! : await work(body, cancellationToken);
    });

    private sealed record AcknowledgeBody(string? By, string? Note);
}
