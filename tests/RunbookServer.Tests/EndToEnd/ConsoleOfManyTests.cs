using System.Text.Json;
using Runbooks.Catalog;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace RunbookServer.Tests.EndToEnd;

public sealed class ConsoleOfManyTests
{
    private const int Many = 10_000;
    private const int LargestPage = 60 * 1024;

    // How long they take stands in docs/performance.md: the load driver measures it.
    [Fact]
    public async Task PagesOverTenThousandIncidents_StaySmall()
    {
        await using var host = await RunningHost.StartAsync();
        await FillAsync(host);

        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        await host.SettleAsync();
        foreach (var path in new[] { "", "?state=open", "?state=final", "?state=failed", "?q=pod-7%20gpu", "runbooks", "runbooks/hanged-gpu", "statistics", "safety", "unmatched", "sandbox", $"incidents/{id}", await host.LinkAsync("oncall") })
        {
            var page = await host.Client.Http.GetByteArrayAsync(new Uri(path, UriKind.RelativeOrAbsolute), Cancel);
            page.Length.ShouldBeLessThan(LargestPage, path);
        }
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static StepRecord Changed(DateTimeOffset at) => new()
    {
        Phase = Phase.Mitigation,
        Name = "reroute",
        Action = "trafficManager.reroute",
        GateId = "mitigation-1",
        Status = StepStatus.Done,
        Preparation = new() { PlannedEffect = "Send the traffic of sweden-central to uk-south.", UndoState = JsonSerializer.SerializeToElement(1) },
        StartedAt = at,
        FinishedAt = at,
    };

    private static async Task FillAsync(RunningHost host)
    {
        var (store, runbook, now) = (host.Get<IIncidentStore>(), host.Get<RunbookCatalog>().Find("hanged-gpu")!, host.Time.GetUtcNow());
        IncidentState[] states = [IncidentState.Resolved, IncidentState.NotNeeded, IncidentState.Failed, IncidentState.Expired, IncidentState.Holding, IncidentState.TakenOver];
        foreach (var some in Enumerable.Range(0, Many).Chunk(200))
        {
            await Task.WhenAll(some.Select(i =>
            {
                var (state, opened) = (states[i % states.Length], now.AddMinutes(-i * 4));
                var incident = new Incident
                {
                    Id = $"{opened:yyMMdd-HHmm}-{i:d8}",
                    RunbookId = runbook.Id,
                    RunbookHash = runbook.Hash,
                    Title = runbook.Title,
                    Target = $"inference/pod-{i}",
                    Alert = new Alert { Source = "alertmanager", Name = "InferenceRequestsStuck", Fingerprint = $"f{i}" },
                    Severity = runbook.Impact.Severity,
                    OpenedAt = opened,
                    UpdatedAt = opened,
                    State = state,
                    ClosedAt = state.IsFinal() ? opened.AddMinutes(3) : null,
                    Reason = "Step 'recycle': the pod did not become ready within five minutes, so it was taken back.",
                    Steps = state is IncidentState.Holding or IncidentState.TakenOver ? [Changed(opened)] : [],
                    Attention = state is IncidentState.Failed or IncidentState.Expired ? new Attention(opened, "It failed.") : null,
                };
                return store.OpenAsync(incident, runbook, _ => null, Cancel);
            }));
        }
    }
}
