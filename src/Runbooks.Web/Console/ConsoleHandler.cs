using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Runbooks.Approvals;
using Runbooks.Intake;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;
using Runbooks.Web.Http;
using Runbooks.Web.Pages;
using Runbooks.Web.Safety;

namespace Runbooks.Web.Console;

/// <summary><c>GET /</c> and <c>GET /incidents/{id}</c></summary>
public sealed class ConsoleHandler(
    IIncidentStore store, PinnedRunbooks pinned, LoadedRunbooks loaded, IOptions<ConsoleOptions> options, SafetyWarnings safety, ClosedGuards guards, ChangesInPlace changes, TimeProvider time, HttpRequestRunner edge)
{
    private const int OpenShown = 200;
    private const int ClosedShown = 25;

    public Task<IResult> ListAsync(HttpRequest request, string? signedIn = null) => edge.RunAsync(request, async cancellationToken =>
    {
        // As with a state that is none: an address that somebody cut short shows the first page.
        var after = Given(request, "after") is { } cursor && IncidentCursor.TryParse(cursor) is not null ? cursor : null;
        var filter = new ConsoleFilter(Given(request, "state"), Given(request, "runbook"), after);
        IncidentState? state = StateText.TryParse(filter.State ?? "", out var parsed) ? parsed : null;
        var query = new IncidentQuery(state, filter.Runbook);
        var nothing = new IncidentPage([], null);

        // Later pages are about the past: what is open stands on the first one.
        var open = filter.After is null && filter.State is not "final"
            ? await store.ListAsync(query with { Open = true, Limit = OpenShown }, cancellationToken)
            : nothing;

        // What has ended and is not over is shown first under every filter: it is forgotten otherwise.
        var left = (await store.ListAsync(new(LeftToPeople: true, Limit: OpenShown), cancellationToken)).Items;
        var driven = filter.After is null && filter.State is null or "open"
            ? left.Where(item => item.OwnedByResponder && (filter.Runbook is null || item.RunbookId == filter.Runbook)).ToList()
            : [];
        var anyOpen = left.Count + open.Items.Count > 0 || (await store.ListAsync(new(Open: true, Limit: 1), cancellationToken)).Items.Count > 0;
        var closed = filter.State is not "open"
            ? await store.ListAsync(query with { Open = false, Limit = ClosedShown, After = filter.After }, cancellationToken)
            : nothing;
        var more = closed.Next is { } next ? ConsoleFilter.Address(filter.State, filter.Runbook, next) : null;
        var runbooks = loaded().Select(runbook => runbook.Id).Order(StringComparer.Ordinal).ToList();
        List<IncidentSummary> waitingFirst = [.. open.Items.OrderByDescending(item => item.State == IncidentState.AwaitingApproval), .. driven];
        var over = closed.Items.Where(item => !item.IsLeftToPeople).ToList();
        return new PageResult<ConsolePage>(
            new { Model = new ConsoleModel(waitingFirst, over, filter, runbooks, more, options.Value.TryThis, time.GetUtcNow()) 
            {
                Warnings = await safety.WarningsAsync(cancellationToken),
                NeedsPerson = [.. left.Where(item => item.NeedsPerson)],
                AnyOpen = anyOpen,
                Changes = await changes.FindAsync(cancellationToken),
                Visitor = Visitor.Of(request, signedIn, options.Value),
            } });
    }, Caller.Person);

    /// <param name="signedIn">The person that the platform has authenticated; null where nobody signs in.</param>
    public Task<IResult> ShowAsync(HttpRequest request, string id, string? signedIn = null) => edge.RunAsync(request, cancellationToken =>
        PageAsync(id, Visitor.Of(request, signedIn, options.Value), null, StatusCodes.Status200OK, cancellationToken), Caller.Person);

    /// <param name="refusal">Why what was just asked for on this page was not done.</param>
    internal async Task<IResult> PageAsync(string id, Visitor visitor, string? refusal, int status, CancellationToken cancellationToken) =>
        await store.FindAsync(id, cancellationToken) is { } incident
            ? new PageResult<OneIncidentPage>(new { Model = new IncidentModel(incident, await pinned.OfAsync(incident, cancellationToken), visitor, refusal, time.GetUtcNow())
            {
                Guards = await guards.FindAsync(incident, incident.OpenGate, cancellationToken),
            } }, status)
            : new PageResult<MessagePage>(
                new { Title = "No such incident", Text = "There is no incident under this address, or it is no longer kept.", Home = true },
                StatusCodes.Status404NotFound);

    private static string? Given(HttpRequest request, string name) => request.Query[name].ToString() is { Length: > 0 } value ? value : null;
}
