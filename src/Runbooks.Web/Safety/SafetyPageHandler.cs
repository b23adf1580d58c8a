using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Notifications;
using Runbooks.Web.Http;
using Runbooks.Web.Incidents;
using Runbooks.Web.Pages;
using Runbooks.Web.Access;

namespace Runbooks.Web.Safety;

/// <summary><c>/safety</c>: what may hold runbooks back, how each does, and the two switches, for people.</summary>
public sealed class SafetyPageHandler(
    KillSwitch killSwitch, RunHistoryStore histories, LoadedRunbooks loaded, IOptionsMonitor<SafetyOptions> options, IOptions<ConsoleOptions> console, LiveIncidents live, RefusedRequests refused, OnCallDirectory directory, TimeProvider time, HttpRequestRunner runner)
{
    public const string Address = "/safety";
    private const string NotDone = "Nothing was changed";
    private const int LongestId = 100;

    public Task<IResult> ShowAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
    {
        var reports = new List<(string Title, RunbookReport Report)>();
        foreach (var runbook in loaded().OrderBy(runbook => runbook.Id, StringComparer.Ordinal))
        {
            reports.Add((runbook.Team.Length > 0 ? $"{runbook.Team} · {runbook.Title}" : runbook.Title, RunbookReport.Of(runbook.Id, runbook, await histories.ReadAsync(runbook.Id, cancellationToken))));
        }

        var model = new SafetyModel(options.CurrentValue.Mode, await killSwitch.ReadAsync(cancellationToken), reports, time.GetUtcNow())
        {
            Changes = (await live.ReadAsync(cancellationToken)).Changed,
            OnCall = (await directory.ResolveAllAsync(cancellationToken)).OnCall,
            Refused = await refused.ReadAsync(cancellationToken),
        };
        return new PageResult<SafetyPage>(new { Model = model, Visitor = Visitor.Of(request, console.Value) });
    }, Caller.Person);

    public Task<IResult> KillAsync(HttpRequest request) =>
        ByAsync(request, (form, cancellationToken) => killSwitch.EngageAsync(form.By, form.Reason, cancellationToken));

    public Task<IResult> ReleaseAsync(HttpRequest request) =>
        ByAsync(request, (form, cancellationToken) => killSwitch.ReleaseAsync(form.By, form.Reason, cancellationToken));

    public Task<IResult> ResetBreakerAsync(HttpRequest request, string id) =>
        ByAsync(request, (form, cancellationToken) =>
            id.Length <= LongestId ? histories.ResetAsync(id, form.By, form.Reason, cancellationToken) : Task.CompletedTask);

    private Task<IResult> ByAsync(HttpRequest request, Func<Signed, CancellationToken, Task> work) => runner.RunAsync(request, async cancellationToken =>
    {
        var (form, refusal) = await Signed.ReadFormAsync(request, NotDone, cancellationToken);
        if (form is null)
        {
            return refusal!;
        }

        await work(form, cancellationToken);
        return new SeeOther(Address);
    }, Caller.Person);
}
