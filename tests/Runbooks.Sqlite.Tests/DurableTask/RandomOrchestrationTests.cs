using CsCheck;
using Runbooks.Sqlite.DurableTask;
using TestKit;
using TestKit.Orchestration;

namespace Runbooks.Sqlite.Tests.DurableTask;

public sealed class RandomOrchestrationTests
{
    private static readonly TimeSpan s_halfMinute = TimeSpan.FromSeconds(30);

    [Fact]
    public Task KilledAtRandom_EndsAsWithoutBeingKilled() => Plan.Any.SampleAsync(
        async plan => (await RunAsync(plan, kills: true)).ShouldBe(await RunAsync(plan, kills: false)), iter: Rounds.Of(12), threads: 1);

    [Fact]
    public Task ReplayedAtEveryStep_EndsAsInOneSession() => Plan.Any.SampleAsync(
        async plan => (await RunAsync(plan, kills: false, sessions: false)).ShouldBe(await RunAsync(plan, kills: false)), iter: Rounds.Of(12), threads: 1);

    [Fact]
    public Task ReplayedAtEveryStepAndKilled_EndsAsInOneSession() => Plan.Any.SampleAsync(
        async plan => (await RunAsync(plan, kills: true, sessions: false)).ShouldBe(await RunAsync(plan, kills: false)), iter: Rounds.Of(12), threads: 1);

    [Fact]
    public Task ManyAtOnceKilledAtRandom_EndEachAsAlone() => Plan.Any.SampleAsync(
        async plan => (await RunAsync(plan, kills: true, instances: 12)).ShouldBe(await RunAsync(plan, kills: false)), iter: Rounds.Of(6), threads: 1);

    private static async Task<string> RunAsync(Plan plan, bool kills, bool sessions = true, int instances = 1)
    {
        var ids = Enumerable.Range(0, instances).Select(i => $"i{i}").ToList();
        var points = 0;
        await using var hub = await SqliteHub.OpenAsync(PlannedOrchestration.Tasks(), options: new SqliteTaskHubOptions { ExtendedSessions = sessions });
        hub.KillAt = _ => kills && plan.Kills.Contains(points++);
        await hub.DoAsync(h => Task.WhenAll(ids.Select(id => h.StartAsync("planned", id, new PlanProgress(plan.Steps, 0, [])))));
        var until = hub.Time.GetUtcNow();
        foreach (var (name, wait) in Schedule(plan))
        {
            until += wait;
            await hub.DoAsync(h => h.AdvanceAsync(until - h.Time.GetUtcNow()));
            await hub.DoAsync(h => Task.WhenAll(ids.Select(id => h.RaiseAsync(id, name))));
        }

        until += TimeSpan.FromHours(2);
        await hub.DoAsync(h => h.AdvanceAsync(until - h.Time.GetUtcNow()));
        var ends = await Task.WhenAll(ids.Select(hub.WaitForEndAsync));
        return ends.Select(end => end.Text!).Distinct().ShouldHaveSingleItem();
    }

    // Half way between whole minutes, at which timers fire: a tie would be decided by chance.
    private static IEnumerable<(string Name, TimeSpan Wait)> Schedule(Plan plan)
    {
        var passed = TimeSpan.Zero;
        foreach (var (at, step) in plan.Events.Select((at, step) => (at, step)).Where(e => e.at > 0).OrderBy(e => e.at))
        {
            var when = TimeSpan.FromMinutes(at) + s_halfMinute;
            yield return ($"event-{step}", when - passed);
            passed = when;
        }
    }
}
