using System.Globalization;
using Runbooks.Approvals;
using Runbooks.Catalog.Steps;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Testing;
using TestKit;

namespace RunbookServer.Tests.Export;

/// <summary>An incident to which things happen that no test can write: <c>5 takeOver; 40 resolved; 45 close</c>, each so many minutes after the alert.</summary>
internal sealed class Life(TestWorld world, Runbook other)
{
    private static readonly Alert s_alert = Some.Alert() with
    {
        Source = "generic", Name = "Slow", Labels = new Dictionary<string, string> { ["region"] = "local" }, Annotations = new Dictionary<string, string> { ["page"] = "42" },
    };

    private string _id = "";

    /// <returns>The incident at its end; the last one, where it was tried again.</returns>
    public static async Task<Incident> LiveAsync(string life, Runbook runbook, Runbook other, StepCatalog steps)
    {
        var script = new WorldScript();
        await using var world = await TestWorld.StartAsync(script, runbook, steps);
        var (lived, began) = (new Life(world, other), world.Now);
        foreach (var (after, what) in life.Split("; ").Select(one => one.Split(' ')).Select(one => (int.Parse(one[0], CultureInfo.InvariantCulture), one[1])))
        {
            await world.PassAsync(began + TimeSpan.FromMinutes(after), () => Task.FromResult(false));
            if (what is "failing" or "passing")
            {
                script.Checks["slow"] = [new() { Verdict = what }];
            }
            else
            {
                await lived.HappenAsync(what);
            }
        }

        await world.PassAsync(world.Now + TimeSpan.FromHours(2), () => world.IsOverAsync(lived._id));
        return await world.Get<IIncidentStore>().GetAsync(lived._id, CancellationToken.None);
    }

    private async Task HappenAsync(string what)
    {
        var (store, approvals, verbs) = (world.Get<IIncidentStore>(), world.Get<ApprovalService>(), world.Get<IncidentVerbService>());
        switch (what)
        {
            case "other":
                (await store.OpenAsync(Some.Incident("261123-0250-other", "local") with { RunbookId = other.Id, RunbookHash = other.Hash, OpenedAt = world.Now, Alert = s_alert }, other, latest => latest, CancellationToken.None)).Opened.ShouldBeTrue();
                break;
            case "otherEnds":
                await store.UpdateAsync("261123-0250-other", incident => incident.End(IncidentState.Resolved, "Mended.", world.Now), CancellationToken.None);
                await world.PassAsync(world.Now + TimeSpan.FromMinutes(1), () => Task.FromResult(false));
                break;
            case "alert":
                _id = (await TestOpening.TakeAsync(world, [s_alert])).Id.ShouldNotBeNull();
                break;
            case "resolved":
                await TestOpening.TakeAsync(world, [s_alert with { Status = AlertStatus.Resolved }]);
                break;
            case "retry":
                _id = (await world.Get<IncidentRetry>().RetryAsync(_id, "ada", "again", CancellationToken.None)).Incident.ShouldNotBeNull();
                break;
            default:
                (await (what switch
                {
                    "close" => verbs.CloseAsync(_id, "ada", "mended", CancellationToken.None),
                    "stop" => verbs.StopAsync(_id, "ada", "enough", CancellationToken.None),
                    _ => approvals.DecideAsync(_id, null, new(Enum.Parse<DecisionVerb>(what, ignoreCase: true), "ada", "test", null), CancellationToken.None),
                })).Result.Status.ShouldBe(DecisionStatus.Decided, what);
                break;
        }
    }
}
