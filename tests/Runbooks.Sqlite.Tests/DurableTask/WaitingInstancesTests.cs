using DurableTask.Core;
using DurableTask.Core.History;
using Runbooks.Engine;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Sqlite.DurableTask;
using Runbooks.Sqlite.Tests.Store;
using TestKit.Orchestration;

namespace Runbooks.Sqlite.Tests.DurableTask;

public sealed class WaitingInstancesTests
{
    private int _codeRuns;

    [Fact]
    public async Task InstancesThatWait_AreNotInMemoryAndComeBackForTheirEvent()
    {
        await using var hub = await WaitAsync(50);
        hub.Service.InstancesInMemory.ShouldBe(0);

        await hub.RaiseAsync("i7", "go");

        (await hub.WaitForEndAsync("i7")).Result<bool>().ShouldBeTrue();
        await hub.SettleAsync();
        hub.Service.InstancesInMemory.ShouldBe(0);
    }

    [Fact]
    public async Task RestartWithManyWaitingInstances_RunsNoneOfTheirCode()
    {
        await using var hub = await WaitAsync(300);
        var before = _codeRuns;

        await hub.RestartAsync();
        await hub.SettleAsync();

        _codeRuns.ShouldBe(before);
        await hub.AdvanceAsync(TimeSpan.FromHours(2));
        (await hub.WaitForEndAsync("i299")).Result<bool>().ShouldBeFalse();
    }

    [Fact]
    public async Task ManyTurnsAtOnce_ShareCommits()
    {
        await using var hub = await WaitAsync(0);
        var before = hub.Database.Writer.Commits;

        await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i => hub.StartAsync("waits", $"i{i}", 0)));
        await hub.SettleAsync();

        // 1,000 starts and as many first turns, each committed before it was acknowledged.
        (hub.Database.Writer.Commits - before).ShouldBeLessThan(1_000);
    }

    [Fact]
    public async Task MoreInstancesThanFitInMemory_AllGetTheirTurns()
    {
        var gate = new TaskCompletionSource();
        var tasks = new TaskHubTasks()
            .Activity<int, int>("slow", async n =>
            {
                await gate.Task;
                return n;
            })
            .Orchestrator<int, int>("w", async (context, n) => await context.CallActivityAsync<int>("slow", n) + await context.CallActivityAsync<int>("slow", n));
        await using var hub = await SqliteHub.OpenAsync(tasks, options: new SqliteTaskHubOptions { MaxConcurrentInstances = 6, MaxConcurrentActivities = 4 });
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => hub.StartAsync("w", $"i{i}", i)));

        gate.SetResult();

        for (var i = 0; i < 40; i++)
        {
            (await hub.WaitForEndAsync($"i{i}")).Result<int>().ShouldBe(i * 2);
        }
    }

    [Fact]
    public async Task TimerThatFellDueWhileTheHostWasDown_FiresAtTheStart()
    {
        await using var hub = await WaitAsync(1);

        await hub.StopAsync(TestContext.Current.CancellationToken);
        hub.Time.Advance(TimeSpan.FromHours(3));
        await hub.ReopenAsync();

        (await hub.WaitForEndAsync("i0")).Result<bool>().ShouldBeFalse();
    }

    [Fact]
    public async Task EventAfterATimerThatFellDueWhileTheHostWasDown_ComesSecond()
    {
        await using var hub = await WaitAsync(1);
        var begun = hub.Time.GetUtcNow();
        await hub.StopAsync(TestContext.Current.CancellationToken);
        hub.Time.SetUtcNow(begun.AddHours(3));

        // Before the start, so that both lie there when the instance is loaded.
        await RaiseAsync(hub, "i0", hub.Time.GetUtcNow());
        await hub.ReopenAsync();

        (await hub.WaitForEndAsync("i0")).Result<bool>().ShouldBeFalse();
    }

    [Fact]
    public async Task ClockThatIsSetForward_FiresWhatIsDueAtTheNextLook()
    {
        var signalled = new List<long>();
        using var data = new DataFolder();
        var time = new SteppingClock();
        SqliteSchema.Bring(data.Database, DurableSchema.Part, DurableSchema.Versions);
        using var timers = new TimerClock(data.Database, signalled.Add, time, TimeSpan.FromSeconds(30), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        timers.Start(timers.Now);
        await AddTimerAsync(data.Database, timers, 5, time.GetUtcNow().AddHours(1).UtcTicks);

        time.Step(TimeSpan.FromHours(2));
        signalled.ShouldBeEmpty();
        time.Advance(TimeSpan.FromSeconds(30));

        signalled.ShouldBe([5]);
    }

    [Theory]
    [InlineData(7200)]
    [InlineData(10)] // Less than the pause between two looks at the clock.
    public async Task ClockThatIsSetBack_LosesNothing(int seconds)
    {
        var signalled = new List<long>();
        using var data = new DataFolder();
        var time = new SteppingClock();
        SqliteSchema.Bring(data.Database, DurableSchema.Part, DurableSchema.Versions);
        using var timers = new TimerClock(data.Database, signalled.Add, time, TimeSpan.FromSeconds(30), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        timers.Start(timers.Now);
        var due = time.GetUtcNow().AddMinutes(1);
        await AddTimerAsync(data.Database, timers, 5, due.UtcTicks);

        time.Advance(TimeSpan.FromMinutes(1));
        signalled.ShouldBe([5]);
        time.Step(TimeSpan.FromSeconds(-seconds));

        // The signalled instance is loaded only now, and its timer is not due any more.
        new DurableReader(data.Database).Ready(timers.Now).ShouldBeEmpty();
        await AddTimerAsync(data.Database, timers, 6, due.AddSeconds(-5).UtcTicks);
        time.Advance(TimeSpan.FromSeconds(seconds));
        signalled.ShouldBe([5, 6, 5]);
    }

    [Fact]
    public async Task ClockThatIsSetBack_TimersMadeSinceFireOnceEach()
    {
        var rounds = 0;
        var tasks = new TaskHubTasks()
            .Activity<int, int>("round", n => Task.FromResult(Interlocked.Increment(ref rounds)))
            .Orchestrator<int, int>("loops", async (context, n) =>
            {
                for (var i = 0; i < 20; i++)
                {
                    await context.CallActivityAsync<int>("round", i);
                    await context.CreateTimer(TimeSpan.FromMinutes(1), CancellationToken.None);
                }

                return n;
            });
        await using var hub = await SqliteHub.OpenAsync(tasks);
        await hub.StartAsync("loops", "before", 0);
        await hub.AdvanceAsync(TimeSpan.FromMinutes(3));
        rounds.ShouldBe(4);

        hub.Time.AdjustTime(hub.Time.GetUtcNow().AddHours(-1));
        rounds = 0;
        await hub.StartAsync("loops", "since", 0);
        await hub.SettleAsync();
        rounds.ShouldBe(1);

        // The one from before stands where it was until its own time has come again.
        await hub.AdvanceAsync(TimeSpan.FromMinutes(10));
        rounds.ShouldBe(11);
        await hub.AdvanceAsync(TimeSpan.FromMinutes(51));
        rounds.ShouldBe(21);
    }

    [Fact]
    public async Task HostThatComesBackWithItsClockBehind_GivesOutWhatCameBeforeTheStartFirst()
    {
        await using var hub = await WaitAsync(0);
        var now = hub.Time.GetUtcNow();
        await hub.StopAsync(TestContext.Current.CancellationToken);
        var instance = new OrchestrationInstance { InstanceId = "i0", ExecutionId = "e" };
        var start = new ExecutionStartedEvent(-1, "0") { Name = "waits", OrchestrationInstance = instance };
        await new DurableWriter(hub.Database).CreateAsync(new TaskMessage { Event = start, OrchestrationInstance = instance }, [], now.AddHours(1).UtcTicks);
        await RaiseAsync(hub, "i0", now);

        await hub.ReopenAsync();

        (await hub.WaitForEndAsync("i0")).Result<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task EngineShowsWhenAnInstanceMovedLast()
    {
        await using var hub = await WaitAsync(1);
        var begun = hub.Time.GetUtcNow();

        await hub.AdvanceAsync(TimeSpan.FromHours(1));

        var found = (await hub.Engine.FindAsync("i0"))!;
        found.Status.ShouldBe(EngineStatus.Completed);
        found.UpdatedAt.ShouldBe(begun.AddHours(1));
    }

    private static Task RaiseAsync(SqliteHub hub, string id, DateTimeOffset at)
    {
        var message = new OutgoingMessage(id, null, at.UtcTicks, false, "EventRaised", """{"at":0,"name":"go"}"""u8.ToArray());
        return hub.Database.Writer.EnqueueAsync(connection => message.Insert(connection));
    }

    private static async Task AddTimerAsync(SqliteDatabase database, TimerClock timers, long instance, long due)
    {
        await database.Writer.EnqueueAsync(connection =>
            DurableRows.InsertMessage(connection, instance, "e", due, timer: true, "TimerFired", []));
        timers.Add(instance, due);
    }

    private async Task<SqliteHub> WaitAsync(int count)
    {
        var tasks = new TaskHubTasks().Orchestrator<int, bool>("waits", (context, _) =>
        {
            Interlocked.Increment(ref _codeRuns);
            return context.CameAsync("go", TimeSpan.FromHours(1));
        });
        var hub = await SqliteHub.OpenAsync(tasks);
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => hub.StartAsync("waits", $"i{i}", 0)));
        await hub.SettleAsync();
        return hub;
    }
}
