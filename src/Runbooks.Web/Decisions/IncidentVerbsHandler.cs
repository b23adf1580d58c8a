namespace Runbooks.Web.Decisions;

/// <summary>What people do with an incident beside deciding: <c>POST /api/incidents/{id}/PATH</c>, and the form <c>POST /incidents/{id}/FORM</c> of its page.</summary>
/// <param name="Does">Completes "Say who … and why."</param>
/// <param name="Example">A reason for the example that a refusal shows.</param>
public sealed record IncidentVerb(string Path, string Does, string Example, IncidentVerb.Work RunAsync)
{
    public delegate Task<DecisionReceipt> Work(IncidentVerbService verbs, string id, string by, string reason, CancellationToken cancellationToken);

    public static readonly IncidentVerb Stop = new("cancel", "stops it", "false alarm", (verbs, id, by, reason, cancel) => verbs.StopAsync(id, by, reason, cancel)) { Form = "stop" };

    /// <summary>The end of an incident that a person took over.</summary>
    public static readonly IncidentVerb Close = new("close", "closes it", "restarted the node by hand", (verbs, id, by, reason, cancel) => verbs.CloseAsync(id, by, reason, cancel));

    /// <summary>What the incident has changed is taken back now, a temporary fix before its cause is gone, and the incident ends.</summary>
    public static readonly IncidentVerb TakeBack = new("take-back", "takes it back", "the other region is slow too", (verbs, id, by, reason, cancel) => verbs.TakeBackAsync(id, by, reason, cancel));

    /// <summary>Somebody sees to what an end left to a person; what they do about it may stay unsaid.</summary>
    public static readonly IncidentVerb Acknowledge = new("acknowledge", "acknowledges it", "I look at the node", (verbs, id, by, note, cancel) => verbs.AcknowledgeAsync(id, by, note.Length == 0 ? null : note, cancel)) { ReasonNeeded = false };

    /// <summary>The other reasons are cut: nobody who stops something is sent back for a shorter one.</summary>
    public static readonly IncidentVerb Note = new("notes", "writes it", "the vendor confirmed a bad batch", (verbs, id, by, text, cancel) => verbs.AddNoteAsync(id, by, text, cancel)) { TooLong = $"A note has at most {Attribution.LongestReason} characters. Nothing was recorded." };

    public static readonly IReadOnlyList<IncidentVerb> All = [Stop, Close, TakeBack, Acknowledge, Note];

    public string Form { get; init; } = Path;

    public bool ReasonNeeded { get; init; } = true;

    /// <summary>What is said of a reason that would have to be cut; null where it is cut.</summary>
    public string? TooLong { get; init; }
}

/// <summary>Each <see cref="IncidentVerb"/> by the API, and <c>POST /api/incidents/{id}/retry</c>.</summary>
public sealed class IncidentVerbsHandler(IncidentVerbService verbs, IncidentRetry retry, HttpRequestRunner runner)
{
    public Task<IResult> PostAsync(HttpRequest request, string id, IncidentVerb verb) => runner.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await Attribution.ReadJsonAsync(request, verb.Does, verb.Example, cancellationToken, verb.ReasonNeeded);
        return body is null ? refusal!
            : body.IsCut && verb.TooLong is { } tooLong ? ApiResults.Problem(StatusCodes.Status400BadRequest, tooLong, new AlertError("$.reason", $"more than {Attribution.LongestReason} characters", "Send it in several notes, or a link to it."))
            : DecisionResponse.Result(await verb.RunAsync(verbs, id, body.By, body.Reason, cancellationToken));
    });

    public Task<IResult> RetryAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await Attribution.ReadJsonAsync(request, "has it tried again", "the node is back", cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        var result = await retry.RetryAsync(id, body.By, body.Reason, cancellationToken);
        return result.Status == DecisionStatus.NotFound
            ? ApiResults.Problem(StatusCodes.Status404NotFound, result.Message)
            : ApiResults.Json(new { result.Incident, RetryOf = id, result.Message }, result.Status is DecisionStatus.Decided or DecisionStatus.AlreadyCounted ? StatusCodes.Status202Accepted : StatusCodes.Status409Conflict);
    });
}
