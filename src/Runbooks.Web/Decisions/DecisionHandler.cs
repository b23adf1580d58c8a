using System.Globalization;
using GateView = Runbooks.Web.Incidents.GateView;

namespace Runbooks.Web.Decisions;

/// <summary><c>POST /api/incidents/{id}/decision</c></summary>
public sealed class DecisionHandler(ApprovalService approvals, HttpRequestRunner runner)
{
    private const string Example = """{"decision":"approve","by":"ada","reason":"seen the graphs","gate":"mitigation-1"}""";

    public Task<IResult> PostAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await RequestBody.ReadJsonAsync<DecisionBody>(request, Example, cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        if (!DecisionVerbText.TryParse(body.Decision, out var verb))
        {
            return Wrong("$.decision", body.Decision, DecisionVerbText.Remedy);
        }

        if (string.IsNullOrWhiteSpace(body.By))
        {
            return Wrong("$.by", body.By, "Say who decides: the record has to name a person.");
        }

        var gate = string.IsNullOrWhiteSpace(body.Gate) ? null : body.Gate.Trim();
        var planHash = string.IsNullOrWhiteSpace(body.PlanHash) ? null : body.PlanHash.Trim();
        var reason = DecisionVerbText.Reason(body.Reason);
        var decision = new DecisionRequest(verb, TypedText.Name(body.By), DecisionVia.Api, reason, planHash)
        {
            Items = body.Items,
            IsOfWork = DecisionVerbText.IsOfWork(body.Decision),
        };
        return DecisionResponse.Result(await approvals.DecideAsync(id, gate, decision, cancellationToken));
    });

    private static IResult Wrong(string path, string? found, string remedy)
    {
        var shown = string.IsNullOrWhiteSpace(found) ? "missing" : $"'{Clip.To(found, 60)}'";
        return ApiResults.Problem(StatusCodes.Status400BadRequest, "The decision is not clear.", new AlertError(path, shown, remedy));
    }

    private sealed record DecisionBody(
        string? Gate, string? Decision, string? By, string? Reason, string? PlanHash, IReadOnlyList<int>? Items);
}

public sealed record DecisionResponse(
    string? Incident, IncidentState? State, DecisionStatus Status, string Message, IReadOnlyList<string> DecidedBy, GateView? Gate)
{
    private static DecisionResponse Of(DecisionReceipt receipt)
    {
        var gate = receipt.Gate ?? receipt.Incident?.OpenGate ?? receipt.Incident?.LatestGate;
        var (incident, result) = (receipt.Incident, receipt.Result);
        IReadOnlyList<string> heldBack = result.Status == DecisionStatus.HeldBack ? [result.Message] : [];
        return new(
            incident?.Id,
            incident?.State,
            result.Status,
            result.Message,
            gate is null ? [] : [.. gate.Decisions.Select(decision => decision.Person)],
            gate is null ? null : GateView.Of(gate, heldBack));
    }

    /// <summary>Sending again what counted the first time is no conflict.</summary>
    public static IResult Result(DecisionReceipt receipt)
    {
        var status = receipt.Result.Status;
        if (status == DecisionStatus.NotFound)
        {
            return ApiResults.Problem(StatusCodes.Status404NotFound, receipt.Result.Message);
        }

        var hasCounted = receipt.IsRepeated || status == DecisionStatus.AlreadyCounted;
        return ApiResults.Json(Of(receipt), hasCounted ? StatusCodes.Status200OK : StatusOf(status));
    }

    public static int StatusOf(DecisionStatus status) => status switch
    {
        DecisionStatus.Decided or DecisionStatus.MoreNeeded => StatusCodes.Status200OK,
        DecisionStatus.NotAllowed => StatusCodes.Status403Forbidden,
        DecisionStatus.NotFound => StatusCodes.Status404NotFound,
        _ => StatusCodes.Status409Conflict,
    };
}

internal static class DecisionVerbText
{
    public const string Remedy = "Use approve, reject or takeOver; of what a person does by hand, done or couldNot.";

    public static bool TryParse(string? word, out DecisionVerb verb)
    {
        (var known, verb) = word?.Trim().ToUpperInvariant() switch
        {
            "APPROVE" or "DONE" => (true, DecisionVerb.Approve),
            "REJECT" or "COULDNOT" => (true, DecisionVerb.Reject),
            "TAKEOVER" => (true, DecisionVerb.TakeOver),
            _ => (false, default),
        };
        return known;
    }

    public static bool IsOfWork(string? word) => word?.Trim().ToUpperInvariant() is "DONE" or "COULDNOT";

    public static IReadOnlyList<int> Items(IFormCollection form) =>
        [.. form["item"].Select(item => int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)];

    /// <summary>Reasons are kept and sent to others, so a secret in one is hidden first.</summary>
    public static string? Reason(string? reason) =>
        string.IsNullOrWhiteSpace(reason) ? null : Clip.To(Redactor.Redact(reason.Trim()), Attribution.LongestReason);
}

/// <summary>
/// What people do with an incident beside deciding: <c>POST /api/incidents/{id}/PATH</c>, and the form
/// <c>POST /incidents/{id}/FORM</c> of its page.
/// </summary>
/// <param name="Does">Completes "Say who … and why."</param>
public sealed record IncidentVerb(string Path, string Does, string Example, IncidentVerb.Work RunAsync)
{
    public delegate Task<DecisionReceipt> Work(
        IncidentVerbService verbs, string id, string by, string reason, CancellationToken cancellationToken);

    public static readonly IncidentVerb Stop = new(
        "cancel", "stops it", "false alarm", (verbs, id, by, reason, cancel) => verbs.StopAsync(id, by, reason, cancel))
    {
        Form = "stop",
    };

    public static readonly IncidentVerb Close = new(
        "close", "closes it", "restarted the node by hand", (verbs, id, by, reason, cancel) => verbs.CloseAsync(id, by, reason, cancel));

    /// <summary>Takes back now what the incident has changed, a temporary fix also before its cause is gone, and ends the incident.</summary>
    public static readonly IncidentVerb TakeBack = new(
        "take-back",
        "takes it back",
        "the other region is slow too",
        (verbs, id, by, reason, cancel) => verbs.TakeBackAsync(id, by, reason, cancel));

    /// <summary>Somebody looks after what an end left to a person. They need not say what they do about it.</summary>
    public static readonly IncidentVerb Acknowledge = new(
        "acknowledge",
        "acknowledges it",
        "I look at the node",
        (verbs, id, by, note, cancel) => verbs.AcknowledgeAsync(id, by, note.Length == 0 ? null : note, cancel))
    {
        ReasonNeeded = false,
    };

    /// <summary>A note that is too long is refused. Other reasons are cut, so that nobody who stops something is sent back.</summary>
    public static readonly IncidentVerb Note = new(
        "notes", "writes it", "the vendor confirmed a bad batch", (verbs, id, by, text, cancel) => verbs.AddNoteAsync(id, by, text, cancel))
    {
        TooLong = $"A note has at most {Attribution.LongestReason} characters. Nothing was recorded.",
    };

    public static readonly IReadOnlyList<IncidentVerb> All = [Stop, Close, TakeBack, Acknowledge, Note];

    public string Form { get; init; } = Path;

    public bool ReasonNeeded { get; init; } = true;

    /// <summary>The refusal of a reason that is too long; null where it is cut.</summary>
    public string? TooLong { get; init; }
}

/// <summary>Each <see cref="IncidentVerb"/> by the API, and <c>POST /api/incidents/{id}/retry</c>.</summary>
public sealed class IncidentVerbsHandler(IncidentVerbService verbs, IncidentRetry retry, HttpRequestRunner runner)
{
    public Task<IResult> PostAsync(HttpRequest request, string id, IncidentVerb verb) => runner.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await Attribution.ReadJsonAsync(request, verb.Does, verb.Example, cancellationToken, verb.ReasonNeeded);
        if (body is null)
        {
            return refusal!;
        }

        if (body.IsCut && verb.TooLong is { } tooLong)
        {
            var found = $"more than {Attribution.LongestReason} characters";
            var error = new AlertError("$.reason", found, "Send it in several notes, or a link to it.");
            return ApiResults.Problem(StatusCodes.Status400BadRequest, tooLong, error);
        }

        return DecisionResponse.Result(await verb.RunAsync(verbs, id, body.By, body.Reason, cancellationToken));
    });

    public Task<IResult> RetryAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        var (body, refusal) = await Attribution.ReadJsonAsync(request, "has it tried again", "the node is back", cancellationToken);
        if (body is null)
        {
            return refusal!;
        }

        var result = await retry.RetryAsync(id, body.By, body.Reason, cancellationToken);
        if (result.Status == DecisionStatus.NotFound)
        {
            return ApiResults.Problem(StatusCodes.Status404NotFound, result.Message);
        }

        var isTriedAgain = result.Status is DecisionStatus.Decided or DecisionStatus.AlreadyCounted;
        return ApiResults.Json(
            new { result.Incident, RetryOf = id, result.Message },
            isTriedAgain ? StatusCodes.Status202Accepted : StatusCodes.Status409Conflict);
    });
}
