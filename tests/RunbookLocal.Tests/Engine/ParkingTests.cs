using RunbookLocal.Engine;
using Runbooks.Sqlite;
using Runbooks.Engine;
using TestKit.Engine;

namespace RunbookLocal.Tests.Engine;

public sealed class ParkingTests
{
    private int _codeRuns;

    [Fact]
    public async Task InstancesThatWait_LeaveMemoryAndComeBackForTheirEvent()
    {
        await using var host = await ParkAsync(50, new JournalOptions { PassivateAfter = TimeSpan.FromSeconds(10) });
        host.Engine.InstancesInMemory.ShouldBe(50);

        await host.AdvanceAsync(TimeSpan.FromSeconds(30));
        host.Engine.InstancesInMemory.ShouldBe(0);
        await host.RaiseAsync("i7", "go");

        (await host.WaitForEndAsync("i7")).Result<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task NoMoreInstancesWaitInMemory_ThanAllowed()
    {
        await using var host = await ParkAsync(200, new JournalOptions { MaxWaitingInMemory = 20 });

        host.Engine.InstancesInMemory.ShouldBeLessThanOrEqualTo(20);
    }

    [Fact]
    public async Task RestartWithManyParkedInstances_RunsNoneOfTheirCode()
    {
        await using var host = await ParkAsync(300, new JournalOptions());
        var before = _codeRuns;

        await host.RestartAsync();
        await host.SettleAsync();

        host.Engine.InstancesInMemory.ShouldBe(0);
        _codeRuns.ShouldBe(before);
        await host.AdvanceAsync(TimeSpan.FromHours(2));
        (await host.WaitForEndAsync("i299")).Result<bool>().ShouldBeFalse();
    }

    [Fact]
    public async Task InstanceWhoseWaitIsOver_IsNotLoadedAgainByItsTimer()
    {
        var workflows = new WorkflowTable().Add<int, bool>("two waits", async (context, _) =>
        {
            _codeRuns++;
            await context.WaitForExternalEventAsync("go", TimeSpan.FromMinutes(10));
            return await context.WaitForExternalEventAsync("more", TimeSpan.FromHours(5));
        });
        await using var host = await JournalHarness.OpenAsync(workflows, new ActivityTable(), options: new JournalOptions { MaxWaitingInMemory = 0 });
        await host.StartAsync("two waits", "i", 0);
        await host.SettleAsync();
        await host.RaiseAsync("i", "go");
        await host.SettleAsync();
        var before = _codeRuns;

        await host.AdvanceAsync(TimeSpan.FromHours(1));

        _codeRuns.ShouldBe(before);
    }

    [Fact]
    public async Task ManyStepsAtOnce_ShareCommits()
    {
        await using var host = await ParkAsync(0, new JournalOptions());
        var before = host.Database.Writer.Commits;

        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => host.StartAsync("park", $"i{i}", 0)));
        await host.SettleAsync();

        // 300 starts and 300 timers, each synced to disk before it was acknowledged.
        (host.Database.Writer.Commits - before).ShouldBeLessThan(300);
    }

    private async Task<JournalHarness> ParkAsync(int count, JournalOptions options)
    {
        var workflows = new WorkflowTable().Add<int, bool>("park", (context, _) =>
        {
            Interlocked.Increment(ref _codeRuns);
            return context.WaitForExternalEventAsync("go", TimeSpan.FromHours(1));
        });
        var host = await JournalHarness.OpenAsync(workflows, new ActivityTable(), options: options);
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => host.StartAsync("park", $"i{i}", 0)));
        await host.SettleAsync();
        return host;
    }
}
