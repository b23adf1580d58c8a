using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RunbookLocal.Engine;
using Runbooks.Sqlite;
using Runbooks.Engine;
using Runbooks.Engine.Replay;
using Runbooks.Storage;
using TestKit.Engine;

namespace RunbookLocal.Tests.Engine;

public sealed class JournalEngineTests
{
    private static readonly Activity<int, int> Work = new("work");
    private ListLogger Logs { get; } = new();
    private readonly TaskCompletionSource _begun = new();

    [Fact]
    public async Task FinishedInstances_AreListedAndPurgedByAge()
    {
        await using var host = await OpenAsync();
        await host.StartAsync("quick", "old", 1);
        await host.WaitForEndAsync("old");
        await host.AdvanceAsync(TimeSpan.FromDays(2));
        await host.StartAsync("quick", "young", 1);
        await host.StartAsync("waits", "open", 1);
        await host.WaitForEndAsync("young");

        host.Engine.List().Select(instance => instance.Id).ShouldBe(["open", "young", "old"]);
        host.Engine.List(EngineStatus.Running).ShouldHaveSingleItem().Id.ShouldBe("open");
        host.Engine.List(limit: 1, beforeKey: host.Engine.Find("young")!.Key).ShouldHaveSingleItem().Id.ShouldBe("old");

        (await host.Engine.PurgeAsync(host.Time.GetUtcNow() - TimeSpan.FromDays(1))).ShouldBe(1);
        host.Engine.Find("old").ShouldBeNull();
        host.Engine.ReadHistory("old").ShouldBeNull();
        host.Engine.Find("young").ShouldNotBeNull();
    }

    [Fact]
    public async Task OldInstances_ArePurgedByThemselves()
    {
        await using var host = await OpenAsync(new JournalOptions { KeepFinished = TimeSpan.FromDays(7) });
        await host.StartAsync("quick", "old", 1);
        await host.WaitForEndAsync("old");

        host.Time.Advance(TimeSpan.FromDays(8));
        await host.Database.Writer.EnqueueAsync((_, _) => { });
        await host.Database.Writer.EnqueueAsync((_, _) => { });

        host.Engine.Find("old").ShouldBeNull();
    }

    [Fact]
    public async Task Journal_SpeaksTheWordsOfDurableTask()
    {
        await using var host = await OpenAsync();
        await host.StartAsync("waits", "i", 1);
        await host.SettleAsync();
        await host.RaiseAsync("i", "go");
        await host.WaitForEndAsync("i");

        host.Engine.ReadHistory("i")!.Select(line => line.Kind).ShouldBe([
            HistoryKind.ExecutionStarted, HistoryKind.TaskScheduled, HistoryKind.TaskCompleted, HistoryKind.TimerCreated,
            HistoryKind.EventRaised, HistoryKind.ExecutionCompleted,
        ]);
    }

    [Fact]
    public async Task StoppingEngine_TakesNoWorkAndSaysSo()
    {
        await using var host = await OpenAsync();
        (await host.Engine.CheckHealthAsync()).ShouldBeNull();

        await host.Engine.StopAsync(CancellationToken.None);

        (await host.Engine.CheckHealthAsync())!.ShouldContain("stopping");
        await Should.ThrowAsync<StoreUnavailableException>(() => host.StartAsync("quick", "late", 1));
    }

    [Fact]
    public async Task ActivityInterruptedByAStop_RunsAgainAfterTheStart()
    {
        await using var host = await OpenAsync();
        await host.StartAsync("hangs once", "i", 1);
        await _begun.Task;

        await host.RestartAsync();

        (await host.WaitForEndAsync("i")).Result<int>().ShouldBe(1);
    }

    [Fact]
    public async Task FullDisk_FailsTheCallerAndTheInstanceGoesOnLater()
    {
        await using var host = await OpenAsync();
        await host.StartAsync("waits", "i", 1);
        await host.SettleAsync();
        await FillDiskAsync(host);

        var wake = await Should.ThrowAsync<StoreUnavailableException>(() => host.RaiseAsync("i", new string('x', 500_000)));
        wake.Message.ShouldContain("full");
        await host.RaiseAsync("i", "go");

        (await host.WaitForEndAsync("i")).Status.ShouldBe(EngineStatus.Completed);
    }

    [Fact]
    public async Task ResultThatCouldNotBeWritten_IsWrittenLaterWithoutRunningTheActivityAgain()
    {
        var gate = new TaskCompletionSource();
        var runs = 0;
        var large = new Activity<int, string>("large");
        var workflows = new WorkflowTable().Add<int, int>("w", async (context, n) => (await context.CallActivityAsync(large, n)).Length);
        var activities = new ActivityTable().Add(large, async (n, _) =>
        {
            runs++;
            _begun.SetResult();
            await gate.Task;
            return new string('x', 500_000);
        });
        await using var host = await JournalHarness.OpenAsync(workflows, activities, Logs);
        await host.StartAsync("w", "i", 1);
        await _begun.Task;
        await FillDiskAsync(host);

        gate.SetResult();
        await host.SettleAsync();
        (await host.StatusAsync("i")).ShouldBe(EngineStatus.Running);
        Logs.Lines.ShouldContain(line => line.Contains("could not be written"));
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));

        (await host.WaitForEndAsync("i")).Result<int>().ShouldBe(500_000);
        runs.ShouldBe(1);
    }

    [Fact]
    public async Task StatusThatIsTooLarge_FailsTheWorkflowAsOnAzure()
    {
        var workflows = new WorkflowTable().Add<int, int>("w", (context, n) =>
        {
            context.SetCustomStatus(new Runbooks.Incidents.IncidentStatus(default, new string('x', 8_000)));
            return Task.FromResult(n);
        });
        await using var host = await JournalHarness.OpenAsync(workflows, new ActivityTable(), Logs);

        await host.StartAsync("w", "i", 1);

        (await host.WaitForEndAsync("i")).Text!.ShouldContain("8000 are allowed");
    }

    [Fact]
    public async Task RegisteredEngine_StartsWithTheHost()
    {
        var folder = Directory.CreateTempSubdirectory("runbooks-").FullName;
        var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(new WorkflowTable())
            .AddSingleton(new ActivityTable())
            .AddSqliteDatabase(folder)
            .AddJournalEngine(options => options.KeepFinished = null);
        await using (var provider = services.BuildServiceProvider())
        {
            var hosted = provider.GetServices<IHostedService>().ShouldHaveSingleItem();
            await hosted.StartAsync(TestContext.Current.CancellationToken);

            (await provider.GetRequiredService<IIncidentEngine>().CheckHealthAsync(TestContext.Current.CancellationToken)).ShouldBeNull();
            await hosted.StopAsync(TestContext.Current.CancellationToken);
        }

        Directory.Delete(folder, recursive: true);
    }

    // The limit belongs to the connection, which the writer gives up after a failure: the disk is full once.
    private static Task<int> FillDiskAsync(JournalHarness host) =>
        host.Database.Writer.EnqueueAsync((connection, transaction) => connection.Statement(transaction, "PRAGMA max_page_count=20").ExecuteNonQuery());

    private Task<JournalHarness> OpenAsync(JournalOptions? options = null)
    {
        var hangs = new Activity<int, int>("hangs once");
        var workflows = new WorkflowTable()
            .Add<int, int>("quick", (context, n) => context.CallActivityAsync(Work, n))
            .Add<int, int>("hangs once", (context, n) => context.CallActivityAsync(hangs, n))
            .Add<int, bool>("waits", async (context, n) =>
            {
                await context.CallActivityAsync(Work, n);
                return await context.WaitForExternalEventAsync("go", TimeSpan.FromHours(1));
            });
        var activities = new ActivityTable()
            .Add(Work, (n, _) => Task.FromResult(n))
            .Add(hangs, async (n, stop) =>
            {
                if (_begun.TrySetResult())
                {
                    await Task.Delay(Timeout.Infinite, stop);
                }

                return n;
            });
        return JournalHarness.OpenAsync(workflows, activities, Logs, options);
    }
}
