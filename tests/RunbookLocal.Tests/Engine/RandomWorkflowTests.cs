using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using RunbookLocal.Engine;
using TestKit.Engine;

namespace RunbookLocal.Tests.Engine;

public sealed class RandomWorkflowTests
{
    private static readonly TimeSpan HalfMinute = TimeSpan.FromSeconds(30);

    [Fact]
    public Task RandomWorkflowKilledAtRandom_EndsAsInMemoryWithoutCrashes() => Plan.Any.SampleAsync(
        async plan => (await InJournalAsync(plan)).ShouldBe(await InMemoryAsync(plan)), iter: 40, threads: 1);

    [Fact]
    public Task RandomWorkflowReplayedAtEveryStep_EndsTheSame() => Plan.Any.SampleAsync(
        async plan => (await InMemoryAsync(plan, new InMemoryOptions { ReplayEveryStep = true })).ShouldBe(await InMemoryAsync(plan)), iter: 200, threads: 1);

    [Fact]
    public Task RandomWorkflowCrashedAfterEveryEvent_EndsTheSameInMemory() => Plan.Any.SampleAsync(
        async plan =>
        {
            var seen = 0;
            var options = new InMemoryOptions { CrashAfter = (_, _) => plan.Kills.Contains(seen++) };
            (await InMemoryAsync(plan, options)).ShouldBe(await InMemoryAsync(plan));
        },
        iter: 200,
        threads: 1);

    private static async Task<string> InMemoryAsync(Plan plan, InMemoryOptions? options = null)
    {
        await using var engine = new InMemoryHarness(PlannedWorkflow.Workflows, PlannedWorkflow.Activities, NullLoggerFactory.Instance, options);
        await engine.StartAsync("planned", "i", plan.Steps);
        foreach (var (name, wait) in Schedule(plan))
        {
            await engine.AdvanceAsync(wait);
            await engine.RaiseAsync("i", name);
        }

        await engine.AdvanceAsync(TimeSpan.FromHours(2));
        return (await engine.WaitForEndAsync("i")).Text!;
    }

    private static async Task<string> InJournalAsync(Plan plan)
    {
        var points = 0;
        await using var host = await JournalHarness.OpenAsync(
            PlannedWorkflow.Workflows, PlannedWorkflow.Activities, options: new JournalOptions { MaxWaitingInMemory = plan.Steps.Length % 2 });
        host.KillAt = _ => plan.Kills.Contains(points++);
        await host.DoAsync(h => h.StartAsync("planned", "i", plan.Steps));
        var until = host.Time.GetUtcNow();
        foreach (var (name, wait) in Schedule(plan))
        {
            until += wait;
            await host.DoAsync(h => h.AdvanceAsync(until - h.Time.GetUtcNow()));
            await host.DoAsync(h => h.RaiseAsync("i", name));
        }

        until += TimeSpan.FromHours(2);
        await host.DoAsync(h => h.AdvanceAsync(until - h.Time.GetUtcNow()));
        return (await host.WaitForEndAsync("i")).Text!;
    }

    // Half way between whole minutes, at which timers fire: a tie would be decided by chance.
    private static IEnumerable<(string Name, TimeSpan Wait)> Schedule(Plan plan)
    {
        var passed = TimeSpan.Zero;
        foreach (var (at, step) in plan.Events.Select((at, step) => (at, step)).Where(e => e.at > 0).OrderBy(e => e.at))
        {
            var when = TimeSpan.FromMinutes(at) + HalfMinute;
            yield return ($"event-{step}", when - passed);
            passed = when;
        }
    }
}
