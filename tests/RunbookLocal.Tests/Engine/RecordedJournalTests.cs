using Microsoft.Extensions.Logging.Abstractions;
using Runbooks.Engine;
using Runbooks.Engine.Replay;

namespace RunbookLocal.Tests.Engine;

/// <summary>A journal read back from disk drives the code to the same end without asking for anything new.</summary>
public sealed class RecordedJournalTests
{
    [Fact]
    public async Task JournalOfARandomWorkflow_ReplaysWithoutDivergence()
    {
        await using var host = await JournalHarness.OpenAsync(PlannedWorkflow.Workflows, PlannedWorkflow.Activities);
        await host.StartAsync("planned", "i", new[] { new PlannedStep(3, 2, 1), new PlannedStep(2, 0, 0) });
        await host.AdvanceAsync(TimeSpan.FromHours(1));
        var end = await host.WaitForEndAsync("i");

        Replay(host.Engine.ReadHistory("i")!).ShouldBe(new WorkflowOutcome(true, end.Text!));
    }

    private static WorkflowOutcome? Replay(IReadOnlyList<HistoryEvent> history)
    {
        PlannedWorkflow.Workflows.TryFind(history[0].Name!, out var entry).ShouldBeTrue();
        var run = new WorkflowRun("i", entry, NullLogger.Instance, () => { });
        run.Replay([.. history.Where(line => line.Kind is not (HistoryKind.ExecutionCompleted or HistoryKind.ExecutionFailed))]);
        run.Unrecorded.ShouldBeEmpty();
        return run.Outcome;
    }
}
