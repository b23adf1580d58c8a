using System.Text.Json;
using Runbooks.Catalog;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using RunbookServer.Tests.EndToEnd;
using TestKit;

namespace RunbookServer.Tests.Browsing;

/// <summary>Endings that need a world that breaks: their records are written as the story writes them.</summary>
internal static class OtherEndings
{
    /// <returns>What the page of each has to say, by id.</returns>
    public static async Task<Dictionary<string, string>> KeepAsync(RunningHost host)
    {
        var (store, runbook, now) = (host.Get<IIncidentStore>(), host.Get<RunbookCatalog>().Find("hanged-gpu")!, host.Time.GetUtcNow());
        var words = new Dictionary<string, string>();
        foreach (var (state, status, mode, cause, said) in ((IncidentState, StepStatus?, RunMode, string, string)[])
        [
            (IncidentState.SelfRecovered, null, RunMode.Normal, "The alert is over and every check passes.", "The alert is over"),
            (IncidentState.Failed, StepStatus.Undone, RunMode.Normal, "The fix did not help", "Undone: recycle."),
            (IncidentState.Failed, StepStatus.UndoFailed, RunMode.Normal, "The fix did not help", "Not known to be undone: recycle"),
            (IncidentState.Failed, StepStatus.Unknown, RunMode.Normal, "The host stopped", "Nobody knows whether recycle happened."),
            (IncidentState.Cancelled, StepStatus.Kept, RunMode.Normal, "ada stopped it", "ada stopped it."),
            (IncidentState.Resolved, StepStatus.DryRun, RunMode.DryRun, "", "Nothing was touched"),
        ])
        {
            var incident = Some.Incident($"{now:yyMMdd-HHmm}-other{words.Count}", $"inference/other-{words.Count}") with
            {
                RunbookHash = runbook.Hash,
                State = IncidentState.Verifying,
                Mode = mode,
                UndoBeganAt = status is StepStatus.Undone or StepStatus.UndoFailed or StepStatus.Kept ? now : null,
                Findings = [Some.Finding()],
                Steps = status is null ? [] :
                [
                    new()
                    {
                        Phase = Phase.Mitigation,
                        Name = "recycle",
                        Action = "kubernetes.recyclePod",
                        GateId = "mitigation-1",
                        Status = status.Value,
                        Preparation = new() { PlannedEffect = "Delete the pod.", UndoState = JsonSerializer.SerializeToElement(1) },
                        StartedAt = now,
                        FinishedAt = now,
                        Outcome = status == StepStatus.Kept ? "Left it suspended; reactivate it by hand." : "The region is down.",
                    },
                ],
            };
            incident = incident.End(state, cause, now);
            words[incident.Id] = said;
            await store.OpenAsync(incident, runbook, _ => null, TestContext.Current.CancellationToken);
        }

        return words;
    }
}
