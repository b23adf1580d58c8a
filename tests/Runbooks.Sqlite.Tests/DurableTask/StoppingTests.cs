using Runbooks.Model.Storage;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Sqlite.DurableTask;
using TestKit.Orchestration;

namespace Runbooks.Sqlite.Tests.DurableTask;

public sealed class StoppingTests
{
    private readonly TaskCompletionSource _begun = new();
    private readonly TaskHubTasks _tasks = new TaskHubTasks()
        .Activity<int, int>("next", Task.FromResult)
        .Orchestrator<int, int>("w", async (context, n) =>
            await context.CallActivityAsync<int>("work", n) + await context.CallActivityAsync<int>("next", n));

    private SqliteHub _hub = null!;

    [Fact]
    public async Task StoppingHost_TakesNoWorkAndSaysSo()
    {
        await using var hub = await OpenAsync(Task.FromResult);
        (await hub.Engine.CheckHealthAsync(TestContext.Current.CancellationToken)).ShouldBeNull();

        await hub.StopAsync(TestContext.Current.CancellationToken);

        (await hub.Engine.CheckHealthAsync(TestContext.Current.CancellationToken))!.ShouldContain("stopping");
        await Should.ThrowAsync<StoreUnavailableException>(() => hub.StartAsync("w", "late", 1));
    }

    [Fact]
    public async Task ActivityThatIsInterruptedByTheStop_RunsAgainAfterTheStart()
    {
        await using var hub = await OpenAsync(async n =>
        {
            if (_begun.TrySetResult())
            {
                await Task.Delay(Timeout.Infinite, _hub.Shutdown.Token);
            }

            return n;
        });
        await hub.StartAsync("w", "i", 3);
        await _begun.Task;

        await hub.RestartAsync();

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(6);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ActivityThatEndsDuringTheStop_IsNotRunAgain(bool sessions)
    {
        var runs = 0;
        await using var hub = await OpenAsync(
            async n =>
            {
                Interlocked.Increment(ref runs);
                _begun.TrySetResult();
                var told = new TaskCompletionSource();
                await using var registered = _hub.Shutdown.Token.Register(told.SetResult);
                await told.Task;
                return n;
            },
            new SqliteTaskHubOptions { ExtendedSessions = sessions });
        await hub.StartAsync("w", "i", 3);
        await _begun.Task;

        await hub.RestartAsync();

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(6);
        runs.ShouldBe(1);
    }

    [Fact]
    public async Task AnswerAfterTheServiceHasStopped_IsKept()
    {
        var gate = new TaskCompletionSource();
        var runs = 0;
        await using var hub = await OpenAsync(async n =>
        {
            Interlocked.Increment(ref runs);
            _begun.TrySetResult();
            await gate.Task;
            return n;
        });
        await hub.StartAsync("w", "i", 3);
        await _begun.Task;

        // The host's patience has ended; the activity has not.
        await hub.StopAsync(new CancellationToken(canceled: true));
        gate.SetResult();
        while (hub.Database.Read(connection => connection.Statement("SELECT 1 FROM durable_tasks").ExecuteScalar()) is not null)
        {
            await Task.Yield();
        }

        await hub.ReopenAsync();
        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(6);
        runs.ShouldBe(1);
    }

    [Fact]
    public async Task ManyInstancesAtWork_AllGoOnAfterAStop()
    {
        await using var hub = await OpenAsync(async n =>
        {
            await Task.Yield();
            return n;
        });
        var starts = Task.WhenAll(Enumerable.Range(0, 200).Select(n => hub.StartAsync("w", $"i{n}", n)));

        await starts;
        await hub.RestartAsync();

        for (var n = 0; n < 200; n++)
        {
            (await hub.WaitForEndAsync($"i{n}")).Result<int>().ShouldBe(n * 2);
        }
    }

    private async Task<SqliteHub> OpenAsync(Func<int, Task<int>> work, SqliteTaskHubOptions? options = null)
    {
        _tasks.Activity("work", work);
        return _hub = await SqliteHub.OpenAsync(_tasks, options: options);
    }
}
