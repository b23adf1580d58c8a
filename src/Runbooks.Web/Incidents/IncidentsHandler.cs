using System.Globalization;
using System.Text;
using Runbooks.Model.Definition;
using Runbooks.Storage;

namespace Runbooks.Web.Incidents;

/// <summary><c>GET /api/incidents</c> and <c>GET /api/incidents/{id}</c></summary>
public sealed class IncidentsHandler(IIncidentStore store, IncidentWaiter waiter, ClosedGuards guards, HttpRequestRunner runner)
{
    /// <summary>Longer than any proxy keeps a silent connection open.</summary>
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan s_usualWait = TimeSpan.FromSeconds(30);

    public Task<IResult> ListAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
    {
        var query = new IncidentQuery();
        if (request.Given("state") is { } word)
        {
            if (StateText.Filter(query, word) is not { } filtered)
            {
                return Wrong(request, "state", $"Use one of: {StateText.Filters}.");
            }

            query = filtered;
        }

        if (request.Given("limit") is { } limit)
        {
            if (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > IncidentQuery.Most)
            {
                return Wrong(request, "limit", $"Use a number from 1 to {IncidentQuery.Most}.");
            }

            query = query with { Limit = count };
        }

        if (request.Given("after") is { } after)
        {
            if (IncidentCursor.TryParse(after) is null)
            {
                return Wrong(request, "after", "Pass the 'next' of the page before, or leave it out.");
            }

            query = query with { After = after };
        }

        if (request.Given("q") is { Length: > IncidentQuery.LongestText })
        {
            return Wrong(request, "q", IncidentQuery.TextTooLong);
        }

        var page = await store.ListAsync(query with { RunbookId = request.Given("runbook"), Text = request.Given("q") }, cancellationToken);
        return ApiResults.Json(new ListAnswer([.. page.Items.Select(IncidentLine.Of)], page.Next));
    });

    /// <summary>With <c>waitFor</c> the answer comes when that state is reached, or when the time is up.</summary>
    public Task<IResult> GetAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        var (goal, atMost) = ((IncidentState?)null, TimeSpan.Zero);
        if (request.Given("waitFor") is { } word)
        {
            atMost = s_usualWait;
            if (word != "final")
            {
                if (!StateText.TryParse(word, out var state))
                {
                    return Wrong(request, "waitFor", $"Use one of: final, {StateText.All}.");
                }

                goal = state;
            }

            if (request.Given("timeout") is { } timeout)
            {
                if (!double.TryParse(timeout.TrimEnd('s'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
                    || double.IsNaN(seconds)
                    || seconds < 0)
                {
                    return Wrong(request, "timeout", "Use a number of seconds.");
                }

                atMost = TimeSpan.FromSeconds(Math.Min(seconds, s_longestWait.TotalSeconds));
            }
        }

        return await waiter.WaitAsync(id, goal, atMost, cancellationToken) is { } incident
            ? ApiResults.Json(IncidentView.Of(incident, await guards.FindAsync(incident, incident.OpenGate, cancellationToken)))
            : ApiResults.Problem(StatusCodes.Status404NotFound, ApiResults.NoSuchIncident);
    });

    private static IResult Wrong(HttpRequest request, string name, string remedy)
    {
        var given = Clip.To(CleanText.Line(request.Given(name)!), 80);
        return ApiResults.Problem(
            StatusCodes.Status400BadRequest,
            $"The query parameter '{name}' cannot be used. {remedy}",
            new AlertError($"?{name}", $"'{given}'", remedy));
    }

    private sealed record ListAnswer(IReadOnlyList<IncidentLine> Incidents, string? Next);
}

/// <param name="NeedsPerson">It has ended and is not over: nobody has acknowledged what it left to do, or a responder owns it.</param>
/// <param name="Question">The open question, until <paramref name="ExpiresAt"/>.</param>
public sealed record IncidentLine(
    string Id,
    string Runbook,
    string Title,
    string Target,
    IncidentState State,
    string Headline,
    string? Reason,
    int AlertCount,
    DateTimeOffset OpenedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? ClosedAt,
    ImpactSeverity? Severity,
    string? Question,
    DateTimeOffset? ExpiresAt,
    bool NeedsPerson,
    bool DryRun)
{
    public static IncidentLine Of(IncidentSummary summary) => new(
        summary.Id,
        summary.RunbookId,
        summary.Title,
        summary.Target,
        summary.State,
        summary.Headline ?? IncidentText.Of(summary.State),
        summary.Reason,
        summary.AlertCount,
        summary.OpenedAt,
        summary.UpdatedAt,
        summary.ClosedAt,
        summary.Severity,
        summary.Question,
        summary.ExpiresAt,
        summary.IsLeftToPeople,
        summary.IsDryRun);
}

/// <summary>
/// <c>GET /api/incidents/{id}/report</c>, and the same in the console: what happened, as a Markdown document; for a browser as a page
/// with graphs.
/// </summary>
public sealed class ReportHandler(IIncidentStore store, HttpRequestRunner runner, TimeProvider time)
{
    public Task<IResult> GetAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        if (await store.FindAsync(id, cancellationToken) is not { } incident)
        {
            return Callers.NotFound(request, "No such incident", ApiResults.NoSuchIncident);
        }

        var runbook = await store.FindRunbookAsync(incident.RunbookHash, cancellationToken);
        if (Callers.Of(request) == Caller.Person && request.Query["as"] != "markdown")
        {
            return new PageResult<ReportPage>(new { Model = new ReportModel(incident, runbook?.Impact, time.GetUtcNow()) });
        }

        PageHeaders.Write(request.HttpContext.Response);
        return Results.Text(IncidentReport.Markdown(incident, runbook?.Impact, time.GetUtcNow()), "text/markdown; charset=utf-8");
    }, Callers.Of(request));
}

/// <summary><c>GET /api/incidents/{id}/audit</c>: the whole record as JSON lines, to be kept and verified elsewhere.</summary>
public sealed class AuditHandler(IIncidentStore store, HttpRequestRunner runner)
{
    public Task<IResult> GetAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
        await store.FindAsync(id, cancellationToken) is { } incident
            ? Results.Text(string.Concat(AuditTrail.Export(incident).Select(line => line + '\n')), "application/jsonl", Encoding.UTF8)
            : ApiResults.Problem(StatusCodes.Status404NotFound, ApiResults.NoSuchIncident));
}

/// <summary><c>GET /incidents/{id}/evidence/{name}</c>: evidence as a file to save, never as a page to run.</summary>
public sealed class EvidenceHandler(IEvidenceStore evidence, HttpRequestRunner runner)
{
    public Task<IResult> GetAsync(HttpRequest request, string id, string name) => runner.RunAsync(request, async cancellationToken =>
    {
        PageHeaders.Write(request.HttpContext.Response);
        return EvidenceName.Parse($"{id}/{name}") is { } known && await evidence.OpenAsync($"{known}", cancellationToken) is { } content
            ? Results.Stream(content, "text/plain; charset=utf-8", fileDownloadName: $"{id}-{name}")
            : Callers.NotFound(request, "No such evidence", "There is no such evidence, or it is no longer kept.");
    }, Callers.Of(request));
}

/// <summary>
/// What the pages about everything read, each list once: open incidents, and ended ones that people are not done with. All changes that
/// are in place belong to one of these.
/// </summary>
public sealed class LiveIncidents(IIncidentStore store)
{
    public const int Most = IncidentQuery.Most;

    /// <summary>More are read of the open ones: the oldest change comes last, behind a storm that came since.</summary>
    public const int MostOpen = 5_000;

    public async Task<LiveIncidentsNow> ReadAsync(CancellationToken cancellationToken)
    {
        // One more shows whether there are more.
        var open = await store.ListAllAsync(new(Open: true, Limit: IncidentQuery.Most), cancellationToken)
            .Take(MostOpen + 1)
            .ToListAsync(cancellationToken);
        var unfinished = await store.ListAsync(new(Unfinished: true, Limit: Most), cancellationToken);
        return new([.. open.Take(MostOpen)], unfinished.Items)
        {
            IsCut = unfinished.Next is not null,
            IsOpenCut = open.Count > MostOpen,
        };
    }
}

/// <param name="Open">The newest first.</param>
/// <param name="Unfinished">Those that have ended and need a person, are owned by one, or have a change in place.</param>
public sealed record LiveIncidentsNow(IReadOnlyList<IncidentSummary> Open, IReadOnlyList<IncidentSummary> Unfinished)
{
    /// <summary>Each once: an incident that ended between the two listings is in both.</summary>
    public IReadOnlyList<IncidentSummary> Changed { get; } =
        [.. Open.Concat(Unfinished).Where(item => item.Changes is { Count: > 0 }).DistinctBy(item => item.Id)];

    /// <summary>There are more unfinished ones.</summary>
    public bool IsCut { get; init; }

    /// <summary>There are more open ones.</summary>
    public bool IsOpenCut { get; init; }

    public IReadOnlyList<IncidentSummary> NeedPerson { get; } = [.. Unfinished.Where(item => item.NeedsPerson)];

    public IReadOnlyList<IncidentSummary> Owned { get; } = [.. Unfinished.Where(item => item.OwnedByResponder)];
}
