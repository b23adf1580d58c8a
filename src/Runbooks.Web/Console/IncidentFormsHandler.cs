using Runbooks.Web.Decisions;

namespace Runbooks.Web.Console;

/// <summary>
/// The forms on an incident's page, <c>POST /incidents/{id}/decision</c>, <c>/retry</c> and each <see cref="IncidentVerb"/>. What
/// was done shows on the page that the browser is sent back to; what was not is said on it.
/// </summary>
public sealed class IncidentFormsHandler(
    ApprovalService approvals, IncidentVerbService verbs, IncidentRetry retry, ConsoleHandler pages, IOptions<ConsoleOptions> options, HttpRequestRunner runner)
{
    private const string NotDone = "Not done";

    /// <summary>On the question and the plan that the page showed, and on no other.</summary>
    public Task<IResult> DecideAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        var (form, refusal) = await Attribution.ReadFormAsync(request, NotDone, cancellationToken, reasonNeeded: false);
        if (form is null || !DecisionVerbText.TryParse(form.Fields["decision"], out var verb))
        {
            return refusal ?? MessageResult.Of(StatusCodes.Status400BadRequest, NotDone, "No decision was sent: go back and press one of the buttons.", home: true);
        }

        var decision = new DecisionRequest(verb, form.By, DecisionVia.Console, DecisionVerbText.Reason(form.Reason), form.Fields["plan"].ToString()) { SignedIn = Actor.Of(request)?.Person, Items = DecisionVerbText.Items(form.Fields) };
        var receipt = await approvals.DecideAsync(id, form.Fields["gate"].ToString(), decision, cancellationToken);
        return receipt.IsRepeated ? new SeeOther(AddressOf(id)) : await EndAsync(request, id, receipt.Result, cancellationToken);
    }, Caller.Person);

    public Task<IResult> PostAsync(HttpRequest request, string id, IncidentVerb verb) => AttributedAsync(request, id, verb.ReasonNeeded, async (form, cancellationToken) =>
    {
        if (form.IsCut && verb.TooLong is { } tooLong)
        {
            return (new(DecisionStatus.Incomplete, tooLong), id);
        }

        var receipt = await verb.RunAsync(verbs, id, form.By, form.Reason, cancellationToken);
        return (receipt.IsRepeated ? receipt.Result with { Status = DecisionStatus.AlreadyCounted } : receipt.Result, id);
    });

    public Task<IResult> RetryAsync(HttpRequest request, string id) => AttributedAsync(request, id, reasonNeeded: true, async (form, cancellationToken) =>
    {
        var result = await retry.RetryAsync(id, form.By, form.Reason, cancellationToken);
        return (new(result.Status, result.Message), result.Incident ?? id);
    });

    private Task<IResult> AttributedAsync(
        HttpRequest request, string id, bool reasonNeeded, Func<Attribution, CancellationToken, Task<(DecisionResult Result, string ShowNext)>> work) => runner.RunAsync(request, async cancellationToken =>
    {
        var (form, refusal) = await Attribution.ReadFormAsync(request, NotDone, cancellationToken, reasonNeeded);
        if (form is null)
        {
            return refusal!;
        }

        var (result, next) = await work(form, cancellationToken);
        return await EndAsync(request, IsDone(result) ? next : id, result, cancellationToken);
    }, Caller.Person);

    private Task<IResult> EndAsync(HttpRequest request, string id, DecisionResult result, CancellationToken cancellationToken) =>
        IsDone(result)
            ? Task.FromResult<IResult>(new SeeOther(AddressOf(id)))
            : ShowAsync(request, id, result, DecisionResponse.StatusOf(result.Status), cancellationToken);

    private static string AddressOf(string id) => $"/incidents/{Uri.EscapeDataString(id)}";

    /// <summary>Whoever presses twice finds it done both times.</summary>
    private static bool IsDone(DecisionResult result) => result.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded or DecisionStatus.AlreadyCounted;

    private Task<IResult> ShowAsync(HttpRequest request, string id, DecisionResult result, int status, CancellationToken cancellationToken) =>
        runner.ShowAsync(() => pages.PageAsync(id, Visitor.Of(request, options.Value), result.Message, status, cancellationToken), status, result.Message);
}
