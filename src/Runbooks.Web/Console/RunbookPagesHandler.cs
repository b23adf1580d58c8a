using Runbooks.Catalog.Steps;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Publishing;

namespace Runbooks.Web.Console;

/// <summary><c>GET /runbooks</c>, <c>GET /runbooks/{id}</c> and its form, <c>POST /runbooks/{id}/start</c>.</summary>
public sealed class RunbookPagesHandler(
    LoadedRunbooks loaded,
    StepCatalog steps,
    RunHistoryStore histories,
    IIncidentStore store,
    RuleSetStatus status,
    ManualStart manual,
    IOptions<ConsoleOptions> options,
    IOptionsMonitor<SafetyOptions> safety,
    TimeProvider time,
    HttpRequestRunner runner)
{
    private const int RecentShown = 10;
    private const string NotStarted = "Not started";

    public Task<IResult> ListAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
    {
        var runbooks = new List<(Runbook Runbook, RunbookReport Report)>();
        var byUrgency = loaded()
            .OrderByDescending(runbook => runbook.Impact.Severity)
            .ThenBy(runbook => runbook.Title, StringComparer.Ordinal);
        foreach (var runbook in byUrgency)
        {
            runbooks.Add((runbook, RunbookReport.Of(runbook.Id, runbook, await histories.ReadAsync(runbook.Id, cancellationToken))));
        }

        return new PageResult<RunbooksPage>(new
        {
            Runbooks = runbooks,
            Steps = steps,
            safety.CurrentValue.Mode,
            Rules = status,
            Now = time.GetUtcNow(),
        });
    }, Caller.Person);

    public Task<IResult> ShowAsync(HttpRequest request, string id) => runner.RunAsync(request, cancellationToken =>
        PageAsync(id, Visitor.Of(request, options.Value), null, [], StatusCodes.Status200OK, cancellationToken), Caller.Person);

    public Task<IResult> StartAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        var (form, refusal) = await Attribution.ReadFormAsync(request, NotStarted, cancellationToken);
        if (form is null)
        {
            return refusal!;
        }

        var labels = form.Fields
            .Where(field => field.Key.StartsWith(RunbookModel.LabelField, StringComparison.Ordinal) && !string.IsNullOrWhiteSpace(field.Value))
            .Take(AlertLimits.Labels)
            .ToDictionary(
                field => field.Key[RunbookModel.LabelField.Length..],
                field => Clip.To(CleanText.Line(field.Value.ToString().Trim()), AlertLimits.LabelValue));
        var started = await manual.StartAsync(id, labels, form.By, form.Reason, cancellationToken);
        if (started.Outcome is { Id: { } incident })
        {
            return new SeeOther($"/incidents/{Uri.EscapeDataString(incident)}");
        }

        var isUnknown = started.Problem == ManualStartProblem.NoSuchRunbook;
        return await PageAsync(
            id,
            Visitor.Of(request, options.Value),
            string.Join(" ", started.Errors),
            labels,
            isUnknown ? StatusCodes.Status404NotFound : StatusCodes.Status400BadRequest,
            cancellationToken);
    }, Caller.Person);

    private async Task<IResult> PageAsync(
        string id, Visitor visitor, string? refusal, Dictionary<string, string> given, int status, CancellationToken cancellationToken)
    {
        if (loaded().FirstOrDefault(runbook => runbook.Id == id) is not { } runbook)
        {
            return MessageResult.Of(
                StatusCodes.Status404NotFound,
                "No such runbook",
                "No runbook of this name is loaded. Incidents of it, if there were any, are kept all the same.",
                home: true);
        }

        var report = RunbookReport.Of(id, runbook, await histories.ReadAsync(id, cancellationToken));
        var recent = await store.ListAsync(new IncidentQuery(RunbookId: id, Limit: RecentShown), cancellationToken);
        var model = new RunbookModel(runbook, steps, report, recent.Items, visitor, refusal, time.GetUtcNow())
        {
            Given = given,
            Mode = RunModes.Stricter(runbook.Mode, safety.CurrentValue.Mode),
        };
        return new PageResult<RunbookPage>(new { Model = model }, status);
    }
}

/// <summary><c>GET /unmatched</c>: the alerts that no runbook is for.</summary>
public sealed class UnmatchedHandler(UnmatchedAlerts alerts, TimeProvider time, HttpRequestRunner runner)
{
    public Task<IResult> ShowAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
        new PageResult<UnmatchedPage>(new { Alerts = await alerts.ReadAsync(cancellationToken), Now = time.GetUtcNow() }), Caller.Person);
}

/// <summary><c>GET /statistics</c>. Counted from the listing at most once a minute, for all readers, and up to a limit of incidents.</summary>
public sealed class StatisticsHandler(IIncidentStore store, TimeProvider time, HttpRequestRunner runner)
{
    private const int MaxCounted = 10_000;
    private const int PageSize = 500;
    private static readonly TimeSpan s_fresh = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private Task<StatisticsModel>? _latest;
    private long _begun;

    public Task<IResult> ShowAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
        new PageResult<StatisticsPage>(new { Model = await LatestAsync().WaitAsync(cancellationToken) }), Caller.Person);

    /// <summary>One count for all readers. A reader who leaves does not stop it for the others.</summary>
    private Task<StatisticsModel> LatestAsync()
    {
        lock (_gate)
        {
            if (_latest is not { IsFaulted: false } || (_latest.IsCompleted && time.GetElapsedTime(_begun) >= s_fresh))
            {
                (_latest, _begun) = (CountAsync(time.GetUtcNow()), time.GetTimestamp());
            }

            return _latest;
        }
    }

    private async Task<StatisticsModel> CountAsync(DateTimeOffset now)
    {
        var incidents = new List<IncidentSummary>();
        var shown = new IncidentQuery(Limit: PageSize, Since: now.AddDays(-StatisticsModel.DaysShown));
        await foreach (var incident in store.ListAllAsync(shown, CancellationToken.None))
        {
            if (incidents.Count == MaxCounted)
            {
                break;
            }

            incidents.Add(incident);
        }

        return StatisticsModel.Of(incidents, incidents.Count == MaxCounted, now);
    }
}
