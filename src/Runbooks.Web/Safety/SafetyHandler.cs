using Runbooks.Guardrails;
using Runbooks.Notifications;
using Runbooks.Publishing;
using Runbooks.Web.Incidents;

namespace Runbooks.Web.Safety;

public sealed class SafetyHandler(
    KillSwitch killSwitch,
    RunHistoryStore histories,
    LoadedRunbooks loaded,
    IOptionsMonitor<SafetyOptions> options,
    RefusedRequests refused,
    HttpRequestRunner runner)
{
    private const int LongestId = 100;

    /// <summary><c>GET /api/safety</c></summary>
    public Task<IResult> GetAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
    {
        var breakers = (await histories.OpenBreakersAsync(loaded(), cancellationToken)).Select(open => new
        {
            open.Runbook,
            open.Breaker.At,
            open.Breaker.Why,
            open.Breaker.AsksFirst,
        });
        return ApiResults.Json(new
        {
            options.CurrentValue.Mode,
            KillSwitch = await killSwitch.ReadAsync(cancellationToken),
            OpenBreakers = breakers,
            Refused = await refused.ReadAsync(cancellationToken),
        });
    });

    /// <summary><c>POST /api/safety/kill</c></summary>
    public Task<IResult> KillAsync(HttpRequest request) => ByAsync(request, async (body, cancellationToken) =>
        ApiResults.Json(await killSwitch.EngageAsync(body.By, body.Reason, cancellationToken)));

    /// <summary><c>POST /api/safety/release</c></summary>
    public Task<IResult> ReleaseAsync(HttpRequest request) => ByAsync(request, async (body, cancellationToken) =>
        await killSwitch.ReleaseAsync(body.By, body.Reason, body.Stop, cancellationToken) is var after && after.Engaged
            ? ApiResults.Problem(StatusCodes.Status409Conflict, $"Not released: 'stop' is not the time of the newest stop. {after.Describe()}")
            : ApiResults.Json(after));

    /// <summary><c>POST /api/runbooks/{id}/breaker/reset</c></summary>
    public Task<IResult> ResetBreakerAsync(HttpRequest request, string id) => ByAsync(request, async (body, cancellationToken) =>
        id.Length <= LongestId && await histories.ResetAsync(id, body.By, body.Reason, cancellationToken) is { } opening
            ? ApiResults.Json(new { Runbook = id, Was = opening, body.By, body.Reason })
            : ApiResults.Problem(StatusCodes.Status409Conflict, $"The breaker of runbook '{Clip.To(id, LongestId)}' is not open."));

    /// <summary><c>GET /api/runbooks/{id}/report</c></summary>
    public Task<IResult> ReportAsync(HttpRequest request, string id) => runner.RunAsync(request, async cancellationToken =>
    {
        var runbook = loaded().FirstOrDefault(runbook => runbook.Id == id);
        return runbook is null
            ? ApiResults.Problem(StatusCodes.Status404NotFound, $"No runbook '{Clip.To(id, LongestId)}' is loaded.")
            : ApiResults.Json(RunbookReport.Of(id, runbook, await histories.ReadAsync(id, cancellationToken)));
    });

    private Task<IResult> ByAsync(HttpRequest request, Func<Attribution, CancellationToken, Task<IResult>> work) =>
        runner.RunAsync(request, async cancellationToken =>
        {
            var (body, refusal) = await Attribution.ReadJsonAsync(request, "does this", "it restarts the wrong pods", cancellationToken);
            return body is null ? refusal! : await work(body, cancellationToken);
        });
}

public sealed class SafetyWarnings(KillSwitch killSwitch, RunHistoryStore histories, LoadedRunbooks loaded, RuleSetStatus status)
{
    public async Task<IReadOnlyList<string>> WarningsAsync(CancellationToken cancellationToken)
    {
        var warnings = new List<string>();
        if ((await killSwitch.ReadAsync(cancellationToken)).Describe() is { } paused)
        {
            warnings.Add(paused);
        }

        if (status.Refused is { } refused)
        {
            warnings.Add($"What was published last is refused here, so it does not count: {refused.Publication.Name}. "
                + "The reasons are under Runbooks.");
        }

        foreach (var (runbook, open) in await histories.OpenBreakersAsync(loaded(), cancellationToken))
        {
            warnings.Add($"The breaker of {runbook} is open, {open.Effect} It is reset under Safety.");
        }

        return warnings;
    }
}

/// <summary><c>/safety</c>: what may keep runbooks from acting, how well each works, and the two switches, for people.</summary>
public sealed class SafetyPageHandler(
    KillSwitch killSwitch,
    RunHistoryStore histories,
    LoadedRunbooks loaded,
    IOptionsMonitor<SafetyOptions> options,
    IOptions<ConsoleOptions> console,
    LiveIncidents live,
    RefusedRequests refused,
    OnCallDirectory directory,
    TimeProvider time,
    HttpRequestRunner runner)
{
    public const string Address = "/safety";
    private const string NotDone = "Nothing was changed";
    private const int LongestId = 100;

    public Task<IResult> ShowAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
    {
        var reports = new List<(string Title, RunbookReport Report)>();
        foreach (var runbook in loaded().OrderBy(runbook => runbook.Id, StringComparer.Ordinal))
        {
            var title = runbook.Team.Length > 0 ? $"{runbook.Team} · {runbook.Title}" : runbook.Title;
            var history = await histories.ReadAsync(runbook.Id, cancellationToken);
            reports.Add((title, RunbookReport.Of(runbook.Id, runbook, history)));
        }

        var now = await live.ReadAsync(cancellationToken);
        var model = new SafetyModel(options.CurrentValue.Mode, await killSwitch.ReadAsync(cancellationToken), reports, time.GetUtcNow())
        {
            Changes = now.Changed,
            ChangesAreCut = now.IsOpenCut,
            OnCall = (await directory.ResolveAllAsync(cancellationToken)).OnCall,
            Refused = await refused.ReadAsync(cancellationToken),
        };
        return new PageResult<SafetyPage>(new { Model = model, Visitor = Visitor.Of(request, console.Value) });
    }, Caller.Person);

    public Task<IResult> KillAsync(HttpRequest request) => ByAsync(request, async (form, cancellationToken) =>
    {
        await killSwitch.EngageAsync(form.By, form.Reason, cancellationToken);
        return null;
    });

    public Task<IResult> ReleaseAsync(HttpRequest request) => ByAsync(request, async (form, cancellationToken) =>
        await killSwitch.ReleaseAsync(form.By, form.Reason, form.Fields["stop"], cancellationToken) is { Engaged: true } still
            ? $"Everything was stopped again after the page that you saw. {still.Describe()} Read why under Safety, and release it there."
            : null);

    public Task<IResult> ResetBreakerAsync(HttpRequest request, string id) => ByAsync(request, async (form, cancellationToken) =>
    {
        _ = id.Length <= LongestId ? await histories.ResetAsync(id, form.By, form.Reason, cancellationToken) : null;
        return null;
    });

    private Task<IResult> ByAsync(HttpRequest request, Func<Attribution, CancellationToken, Task<string?>> work) =>
        runner.RunAsync(request, async cancellationToken =>
        {
            var (form, refusal) = await Attribution.ReadFormAsync(request, NotDone, cancellationToken);
            if (form is null)
            {
                return refusal!;
            }

            return await work(form, cancellationToken) is { } refused
                ? MessageResult.Of(StatusCodes.Status409Conflict, NotDone, refused, home: true)
                : new SeeOther(Address);
        }, Caller.Person);
}
