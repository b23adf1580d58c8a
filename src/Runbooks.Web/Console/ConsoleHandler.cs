using Runbooks.Storage;
using Runbooks.Watchdog;
using Runbooks.Web.Decisions;
using Runbooks.Web.Incidents;
using Runbooks.Web.Safety;

namespace Runbooks.Web.Console;

/// <summary><c>GET /</c> and <c>GET /incidents/{id}</c></summary>
public sealed class ConsoleHandler(
    IIncidentStore store,
    PinnedRunbooks pinned,
    LoadedRunbooks loaded,
    IOptions<ConsoleOptions> options,
    SafetyWarnings safety,
    ClosedGuards guards,
    ApproverRules approvers,
    LiveIncidents live,
    SystemHealth health,
    TimeProvider time,
    HttpRequestRunner runner)
{
    private const int PageSize = 50;

    public Task<IResult> ListAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
    {
        // As with an unknown state: an address that was cut short shows the first page.
        var after = request.Given("after") is { } cursor && IncidentCursor.TryParse(cursor) is not null ? cursor : null;
        var words = request.Given("q")?.Trim() is { Length: > 0 } text
            ? text[..Math.Min(text.Length, IncidentQuery.LongestText)]
            : null;
        var filter = new ConsoleFilter(request.Given("state"), request.Given("runbook"), words, after);

        var now = await live.ReadAsync(cancellationToken);
        var (open, closed, next) = await FindAsync(filter, now, cancellationToken);
        var runbooks = loaded().Select(runbook => runbook.Id).Order(StringComparer.Ordinal).ToList();
        var more = next is null ? null : filter.AddressAt(next);
        var model = new ConsoleModel(open, closed, filter, runbooks, more, options.Value.TryThis, time.GetUtcNow())
        {
            Trouble = health.LastTrouble is { } trouble ? EndingText.Sentence(trouble) : null,
            Warnings = [.. Lines.Of(store.Damage), .. await safety.WarningsAsync(cancellationToken)],
            // Shown first under every filter, or they would be forgotten.
            NeedsPerson = ConsoleModel.MostUrgentFirst(now.NeedPerson),
            NeedsPersonIsCut = now.IsCut,
            Owned = now.Owned.Count,
            AnyOpen = now.Open.Count + now.NeedPerson.Count + now.Owned.Count > 0,
            Changes = now.Changed,
            OpenIsCut = now.IsOpenCut,
            Visitor = Visitor.Of(request, options.Value),
            Counts = await store.CountAsync(cancellationToken),
            Asked = now.Open.Count(item => item.Question is not null),
        };
        return new PageResult<ConsolePage>(new { Model = model });
    }, Caller.Person);

    /// <summary>Without a filter the most urgent and what ended last. A state, words and later pages are one list, the newest first.</summary>
    private async Task<(IReadOnlyList<IncidentSummary> Open, IReadOnlyList<IncidentSummary> Closed, string? Next)> FindAsync(
        ConsoleFilter filter, LiveIncidentsNow now, CancellationToken cancellationToken)
    {
        var owned = now.Owned.Where(item => filter.Runbook is null || item.RunbookId == filter.Runbook);
        if (filter is { State: null, Text: null, After: null })
        {
            var open = now.Open.Where(item => filter.Runbook is null || item.RunbookId == filter.Runbook);
            var closed = await store.ListAsync(new(RunbookId: filter.Runbook, Open: false, Limit: ConsoleModel.Shown), cancellationToken);
            return (ConsoleModel.MostUrgentFirst([.. open, .. owned]), [.. closed.Items.Where(item => !item.IsLeftToPeople)], closed.Next);
        }

        var query = new IncidentQuery(
            StateText.TryParse(filter.State ?? "", out var state) ? state : null,
            filter.Runbook,
            OnlyOpen(filter),
            PageSize,
            filter.After,
            LeftToPeople: filter.State == ConsoleFilter.NeedsAPerson,
            Text: filter.Text);
        var page = await store.ListAsync(query, cancellationToken);

        // An incident that a responder owns is listed under open: it needs nobody else.
        var byFinal = page.Items
            .Where(item => filter.State != ConsoleFilter.NeedsAPerson || item.NeedsPerson)
            .ToLookup(item => item.State.IsFinal());
        var alsoOpen = filter is { State: "open", After: null } ? owned.Where(new IncidentQuery(Text: filter.Text).Fits) : [];
        return (ConsoleModel.MostUrgentFirst([.. byFinal[false], .. alsoOpen]), [.. byFinal[true]], page.Next);
    }

    private static bool? OnlyOpen(ConsoleFilter filter) => filter.State switch
    {
        "open" => true,
        "final" => false,
        null when filter.Text is null => false,
        _ => null,
    };

    public Task<IResult> ShowAsync(HttpRequest request, string id) => runner.RunAsync(request, cancellationToken =>
        PageAsync(id, Visitor.Of(request, options.Value), null, StatusCodes.Status200OK, cancellationToken), Caller.Person);

    internal async Task<IResult> PageAsync(string id, Visitor visitor, string? refusal, int status, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id, cancellationToken) is not { } incident)
        {
            return MessageResult.Of(
                StatusCodes.Status404NotFound,
                "No such incident",
                "There is no incident under this address, or it is no longer kept.",
                home: true);
        }

        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var model = new IncidentModel(incident, runbook, visitor, refusal, time.GetUtcNow())
        {
            Guards = await guards.FindAsync(incident, incident.OpenGate, cancellationToken),
            WhyNoYes = visitor.Person is { } person && incident.OpenGate is { } gate
                ? approvers.WhyNoYes(gate, null, person, await approvers.ReadAsync(gate, cancellationToken))
                : null,
        };
        return new PageResult<OneIncidentPage>(new { Model = model }, status);
    }
}

/// <summary>
/// The forms on an incident's page, <c>POST /incidents/{id}/decision</c>, <c>/retry</c> and each <see cref="IncidentVerb"/>. When it is
/// done, the browser is sent to the page; when it is not, the page says why.
/// </summary>
public sealed class IncidentFormsHandler(
    ApprovalService approvals,
    IncidentVerbService verbs,
    IncidentRetry retry,
    ConsoleHandler pages,
    IOptions<ConsoleOptions> options,
    HttpRequestRunner runner)
{
    private const string NotDone = "Not done";

    /// <summary>Decides on the question and the plan that the page showed, and on no other.</summary>
    public Task<IResult> DecideAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        var (form, refusal) = await Attribution.ReadFormAsync(request, NotDone, cancellationToken, reasonNeeded: false);
        if (form is null || !DecisionVerbText.TryParse(form.Fields["decision"], out var verb))
        {
            return refusal ?? MessageResult.Of(
                StatusCodes.Status400BadRequest, NotDone, "No decision was sent: go back and press one of the buttons.", home: true);
        }

        var reason = DecisionVerbText.Reason(form.Reason);
        var decision = new DecisionRequest(verb, form.By, DecisionVia.Console, reason, form.Fields["plan"].ToString())
        {
            SignedIn = Actor.Of(request)?.Person,
            Items = DecisionVerbText.Items(form.Fields),
        };
        var receipt = await approvals.DecideAsync(id, form.Fields["gate"].ToString(), decision, cancellationToken);
        return receipt.IsRepeated ? new SeeOther(AddressOf(id)) : await EndAsync(request, id, receipt.Result, cancellationToken);
    }, Caller.Person);

    public Task<IResult> PostAsync(HttpRequest request, string id, IncidentVerb verb) =>
        AttributedAsync(request, id, verb.ReasonNeeded, async (form, cancellationToken) =>
        {
            if (form.IsCut && verb.TooLong is { } tooLong)
            {
                return (new(DecisionStatus.Incomplete, tooLong), id);
            }

            var receipt = await verb.RunAsync(verbs, id, form.By, form.Reason, cancellationToken);
            return (receipt.IsRepeated ? receipt.Result with { Status = DecisionStatus.AlreadyCounted } : receipt.Result, id);
        });

    public Task<IResult> RetryAsync(HttpRequest request, string id) =>
        AttributedAsync(request, id, reasonNeeded: true, async (form, cancellationToken) =>
        {
            var result = await retry.RetryAsync(id, form.By, form.Reason, cancellationToken);
            return (new(result.Status, result.Message), result.Incident ?? id);
        });

    private Task<IResult> AttributedAsync(
        HttpRequest request,
        string id,
        bool reasonNeeded,
        Func<Attribution, CancellationToken, Task<(DecisionResult Result, string ShowNext)>> work) => runner.RunAsync(request, async cancellationToken =>
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

    /// <summary>Pressing twice is done both times.</summary>
    private static bool IsDone(DecisionResult result) =>
        result.Status is DecisionStatus.Decided or DecisionStatus.MoreNeeded or DecisionStatus.AlreadyCounted;

    private Task<IResult> ShowAsync(HttpRequest request, string id, DecisionResult result, int status, CancellationToken cancellationToken) =>
        runner.ShowAsync(
            () => pages.PageAsync(id, Visitor.Of(request, options.Value), result.Message, status, cancellationToken),
            status,
            result.Message);
}
