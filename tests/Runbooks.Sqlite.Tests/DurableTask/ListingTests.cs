using DurableTask.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Runbooks.Engine;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Sqlite.DurableTask;
using TestKit.Orchestration;
using TestKit;

namespace Runbooks.Sqlite.Tests.DurableTask;

public sealed class ListingTests
{
    private readonly TaskHubTasks _tasks = new TaskHubTasks()
        .Activity<int, int>("work", Task.FromResult)
        .Orchestrator<int, int>("quick", (context, n) => context.CallActivityAsync<int>("work", n))
        .Orchestrator<int, bool>("waits", (context, _) => context.CameAsync("go", TimeSpan.FromHours(1)));

    [Fact]
    public async Task FinishedInstances_ArePurgedByAge()
    {
        await using var hub = await SqliteHub.OpenAsync(_tasks);
        await hub.StartAsync("quick", "old", 1);
        await hub.WaitForEndAsync("old");
        await hub.AdvanceAsync(TimeSpan.FromDays(2));
        await hub.StartAsync("quick", "young", 1);
        await hub.StartAsync("waits", "open", 1);
        await hub.WaitForEndAsync("young");
        await hub.SettleAsync();

        await hub.Service.PurgeOrchestrationHistoryAsync(
            hub.Time.GetUtcNow().UtcDateTime.AddDays(-1), OrchestrationStateTimeRangeFilterType.OrchestrationCompletedTimeFilter);

        (await hub.FindAsync("old")).ShouldBeNull();
        (await hub.FindAsync("young"))!.OrchestrationStatus.ShouldBe(OrchestrationStatus.Completed);
        (await hub.FindAsync("open"))!.OrchestrationStatus.ShouldBe(OrchestrationStatus.Running);
        (await hub.Service.GetOrchestrationHistoryAsync("old", null)).ShouldBe("[]");
        (await hub.Service.GetOrchestrationHistoryAsync("young", null)).ShouldContain("\"kind\":\"TaskCompleted\"");
    }

    [Fact]
    public async Task OldInstances_ArePurgedByThemselves()
    {
        await using var hub = await SqliteHub.OpenAsync(_tasks, options: new SqliteTaskHubOptions { KeepFinished = TimeSpan.FromDays(7) });
        await hub.StartAsync("quick", "old", 1);
        await hub.WaitForEndAsync("old");
        await hub.SettleAsync();

        hub.Time.Advance(TimeSpan.FromDays(8));
        await hub.Database.Writer.EnqueueAsync(_ => { });
        await hub.Database.Writer.EnqueueAsync(_ => { });

        (await hub.FindAsync("old")).ShouldBeNull();
    }

    [Fact]
    public async Task FinishedInstance_LeavesNoMessageTimerOrTaskBehind()
    {
        await using var hub = await SqliteHub.OpenAsync(_tasks);
        await hub.StartAsync("waits", "i", 1);
        await hub.SettleAsync();
        await hub.RaiseAsync("i", "go");
        await hub.WaitForEndAsync("i");
        await hub.SettleAsync();

        hub.Database.Read(connection => connection.Statement("SELECT count(*) FROM durable_messages").ExecuteScalar()).ShouldBe(0L);
        hub.Database.Read(connection => connection.Statement("SELECT count(*) FROM durable_tasks").ExecuteScalar()).ShouldBe(0L);
    }

    [Fact]
    public async Task InstanceThatContinuesAsNew_LeavesNoTimerOrHistoryOfItsPastBehind()
    {
        _tasks.Orchestrator<int, int>("renews", async (context, n) =>
        {
            await context.CameAsync($"go-{n}", TimeSpan.FromHours(1));
            context.ContinueAsNew(n + 1);
            return n;
        });
        await using var hub = await SqliteHub.OpenAsync(_tasks);
        await hub.StartAsync("renews", "i", 0);
        await hub.SettleAsync();
        var history = await hub.Service.GetOrchestrationHistoryAsync("i", null);
        for (var n = 0; n < 20; n++)
        {
            await hub.RaiseAsync("i", $"go-{n}");
            await hub.SettleAsync();
        }

        hub.Database.Read(connection => connection.Statement("SELECT count(*) FROM durable_messages").ExecuteScalar()).ShouldBe(1L);
        (await hub.Service.GetOrchestrationHistoryAsync("i", null)).Length.ShouldBeLessThan(history.Length * 2);
        (await hub.FindAsync("i"))!.Input.ShouldBe("20");
    }

    [Fact]
    public async Task WaitingForAnEndThatDoesNotCome_TimesOut()
    {
        await using var hub = await SqliteHub.OpenAsync(_tasks);
        await hub.StartAsync("waits", "i", 1);

        await Should.ThrowAsync<TimeoutException>(() => hub.Service.WaitForOrchestrationAsync("i", null, TimeSpan.Zero, CancellationToken.None));
    }

    [Fact]
    public async Task RegisteredTaskHub_StartsWithTheHost()
    {
        var folder = Directory.CreateTempSubdirectory("runbooks-").FullName;
        var services = new ServiceCollection()
            .AddLogging()
            .AddSqlite(folder, configureHub: options => options.KeepFinished = null)
            .AddTaskHub(tasks => tasks.Activity<int, int>("work", Task.FromResult).Orchestrator<int, int>("quick", (context, n) => context.CallActivityAsync<int>("work", n)));
        await using (var provider = services.BuildServiceProvider())
        {
            var hosted = provider.GetServices<IHostedService>().OfType<TaskHubHost>().ShouldHaveSingleItem();
            (await provider.GetRequiredService<IIncidentEngine>().CheckHealthAsync(TestContext.Current.CancellationToken))!.ShouldContain("not started");
            await hosted.StartAsync(TestContext.Current.CancellationToken);

            (await provider.GetRequiredService<IIncidentEngine>().CheckHealthAsync(TestContext.Current.CancellationToken)).ShouldBeNull();
            await provider.GetRequiredService<TaskHubEngine>().StartAsync("quick", "i", 4);
            var end = await provider.GetRequiredService<IOrchestrationServiceClient>().WaitForOrchestrationAsync("i", null, Patience.Limit, CancellationToken.None);
            end.Output.ShouldBe("4");
            await hosted.StopAsync(TestContext.Current.CancellationToken);
        }

        Directory.Delete(folder, recursive: true);
    }
}
