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
        var decision = new DecisionRequest(verb, TypedText.Name(body.By), DecisionVia.Api, DecisionVerbText.Reason(body.Reason), string.IsNullOrWhiteSpace(body.PlanHash) ? null : body.PlanHash.Trim())
        {
            Items = body.Items,
            IsOfWork = DecisionVerbText.IsOfWork(body.Decision),
        };
        return DecisionResponse.Result(await approvals.DecideAsync(id, gate, decision, cancellationToken));
    });

    private static IResult Wrong(string path, string? found, string remedy) =>
        ApiResults.Problem(StatusCodes.Status400BadRequest, "The decision is not clear.", new AlertError(path, string.IsNullOrWhiteSpace(found) ? "missing" : $"'{Clip.To(found, 60)}'", remedy));

    private sealed record DecisionBody(string? Gate, string? Decision, string? By, string? Reason, string? PlanHash, IReadOnlyList<int>? Items);
}

/// <summary>What became of a decision, for the API.</summary>
/// <param name="DecidedBy">Whoever's decision counts; empty when no person decided.</param>
public sealed record DecisionResponse(
    string? Incident, IncidentState? State, DecisionStatus Status, string Message, IReadOnlyList<string> DecidedBy, GateView? Gate)
{
    private static DecisionResponse Of(DecisionReceipt receipt)
    {
        var gate = receipt.Gate ?? receipt.Incident?.OpenGate ?? receipt.Incident?.LatestGate;
        return new(
            receipt.Incident?.Id, receipt.Incident?.State, receipt.Result.Status, receipt.Result.Message,
            gate is null ? [] : [.. gate.Decisions.Select(decision => decision.Person)],
            gate is null ? null : GateView.Of(gate));
    }

    /// <summary>Whoever says again what counted the first time is told so, and that is no conflict.</summary>
    public static IResult Result(DecisionReceipt receipt) =>
        receipt.Result.Status == DecisionStatus.NotFound
            ? ApiResults.Problem(StatusCodes.Status404NotFound, receipt.Result.Message)
            : ApiResults.Json(Of(receipt), receipt.IsRepeated || receipt.Result.Status == DecisionStatus.AlreadyCounted ? StatusCodes.Status200OK : StatusOf(receipt.Result.Status));

    public static int StatusOf(DecisionStatus status) => status switch
    {
        DecisionStatus.Decided or DecisionStatus.MoreNeeded => StatusCodes.Status200OK,
        DecisionStatus.NotAllowed => StatusCodes.Status403Forbidden,
        DecisionStatus.NotFound => StatusCodes.Status404NotFound,
        _ => StatusCodes.Status409Conflict,
    };
}

/// <summary>Decisions as bodies and forms write them.</summary>
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

    /// <summary>The ticked items of a checklist, as a form of our pages sends them.</summary>
    public static IReadOnlyList<int> Items(IFormCollection form) =>
        [.. form["item"].Select(item => int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)];

    /// <summary>It is kept and sent to others, so a secret that somebody copied into it is hidden before.</summary>
    public static string? Reason(string? reason) => string.IsNullOrWhiteSpace(reason) ? null : Clip.To(Redactor.Redact(reason.Trim()), Attribution.LongestReason);
}
