using Microsoft.DurableTask;
using Runbooks.Engine;
using Runbooks.Model.Storage;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Sqlite.DurableTask;
using TestKit.Engine;
using TestKit.Orchestration;

namespace Runbooks.Sqlite.Tests.DurableTask;

/// <summary>Disks that are full, rows that cannot be read, code that does not fit, hosts that die: nothing is lost or stuck.</summary>
public sealed partial class TroubleTests
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private readonly TaskCompletionSource _begun = new();
    private readonly TaskHubTasks _tasks;
    private Func<TaskOrchestrationContext, Task> _story = _ => Task.CompletedTask;

    public TroubleTests() => _tasks = new TaskHubTasks()
        .Activity<int, int>("old", Task.FromResult)
        .Activity<int, int>("new", Task.FromResult)
        .Orchestrator<int, int>("story", async (context, n) =>
        {
            await _story(context);
            return n;
        })
        .Orchestrator<int, bool>("waits", async (context, n) =>
        {
            await context.CallActivityAsync<int>("old", n);
            return await context.CameAsync("go", s_minute * 60);
        });

    private ListLogger Logs { get; } = new();

    [Fact]
    public async Task FullDisk_FailsTheCallerAndTheInstanceGoesOnLater()
    {
        await using var hub = await OpenAsync();
        await hub.StartAsync("waits", "i", 1);
        await hub.SettleAsync();
        await FillDiskAsync(hub);

        var wake = await Should.ThrowAsync<StoreUnavailableException>(() => hub.RaiseAsync("i", new string('x', 500_000)));
        wake.Message.ShouldContain("full");
        await hub.RaiseAsync("i", "go");

        (await hub.WaitForEndAsync("i")).Result<bool>().ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnswerThatCouldNotBeCommitted_IsCommittedLaterWithoutRunningTheActivityAgain(bool sessions)
    {
        var gate = new TaskCompletionSource();
        var runs = 0;
        _tasks.Activity<int, string>("large", async n =>
        {
            runs++;
            _begun.SetResult();
            await gate.Task;
            return new string('x', 500_000);
        });
        _tasks.Orchestrator<int, int>("w", async (context, n) => (await context.CallActivityAsync<string>("large", n)).Length);
        await using var hub = await OpenAsync(new SqliteTaskHubOptions { ExtendedSessions = sessions });
        await hub.StartAsync("w", "i", 1);
        await _begun.Task;
        await FillDiskAsync(hub);

        gate.SetResult();
        await hub.SettleAsync();
        (await hub.StatusAsync("i")).ShouldBe(EngineStatus.Running);
        Logs.Lines.ShouldNotContain(line => line.StartsWith("Error", StringComparison.Ordinal), "the writer says it, once");
        await hub.AdvanceAsync(TimeSpan.FromSeconds(2));

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(500_000);
        runs.ShouldBe(1);
    }

    [Fact]
    public async Task DiskThatStaysFull_IsWaitedForHoweverLong()
    {
        await using var hub = await OpenAsync();
        await hub.StartAsync("waits", "i", 1);
        await hub.SettleAsync();
        await hub.RaiseAsync("i", "something else");
        await hub.SettleAsync();

        for (var i = 0; i < 12; i++)
        {
            // The limit belongs to the connection, which the writer gives up after a failure: the disk is full once each time.
            await FillDiskAsync(hub);
            await Should.ThrowAsync<StoreUnavailableException>(() => hub.RaiseAsync("i", new string('x', 500_000)));
            await hub.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        await hub.RaiseAsync("i", "go");
        (await hub.WaitForEndAsync("i")).Result<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task HistoryThatCannotBeRead_EndsTheInstanceAfterAFewAttemptsAndNoOther()
    {
        await using var hub = await OpenAsync();
        await hub.StartAsync("waits", "broken", 1);
        await hub.StartAsync("waits", "sound", 1);
        await hub.SettleAsync();
        await hub.Database.Writer.EnqueueAsync(connection => connection.Statement("UPDATE durable_history SET data = x'7b' WHERE seq = 3 AND instance = (SELECT key FROM durable_instances WHERE id = 'broken')").ExecuteNonQuery());

        await hub.RaiseAsync("broken", "go");
        await hub.RaiseAsync("sound", "go");
        (await hub.WaitForEndAsync("sound")).Result<bool>().ShouldBeTrue();
        await hub.SettleAsync();
        (await hub.StatusAsync("broken")).ShouldBe(EngineStatus.Running);
        await hub.AdvanceAsync(s_minute);

        var end = await hub.WaitForEndAsync("broken");
        end.Status.ShouldBe(EngineStatus.Failed);
        end.Text!.ShouldContain("cannot be read");
        Logs.Lines.ShouldContain(line => line.StartsWith("Critical", StringComparison.Ordinal) && line.Contains("broken"));
    }

    [Fact]
    public async Task ActivityThatIsUnderWayAtEveryDeathOfTheHost_IsFailedInTheEnd()
    {
        var runs = 0;
        _tasks.Activity<int, int>("deadly", async _ =>
        {
            Interlocked.Increment(ref runs);
            await Task.Delay(Timeout.Infinite);
            return 0;
        });
        _tasks.Orchestrator<int, string>("w", async (context, n) =>
        {
            try
            {
                return $"{await context.CallActivityAsync<int>("deadly", n)}";
            }
            catch (TaskFailedException e)
            {
                return e.FailureDetails.ErrorMessage;
            }
        });
        await using var hub = await OpenAsync(new SqliteTaskHubOptions { MaxStarts = 3 });
        await hub.StartAsync("w", "i", 1);
        for (var life = 1; life <= 4; life++)
        {
            while (Volatile.Read(ref runs) < life)
            {
                await Task.Yield();
            }

            await hub.CrashAsync();
        }

        (await hub.WaitForEndAsync("i")).Result<string>().ShouldContain("3 times in a row");
    }

    /// <summary>One kills each process that runs it; the other only stood beside it, under way or queued.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task ActivityBesideOneThatKillsTheHost_IsRunToItsEnd(int places)
    {
        var runs = 0;
        SqliteHub? hub = null;
        _tasks.Activity<int, int>("deadly", async _ =>
        {
            Interlocked.Increment(ref runs);
            await Task.Delay(Timeout.Infinite);
            return 0;
        });
        _tasks.Activity<int, int>("innocent", async n =>
        {
            // Under way at each death until the deadly one is given up.
            await Task.Delay(Volatile.Read(ref runs) < 5 ? Timeout.Infinite : 0);
            return n;
        });
        _tasks.Orchestrator<int, string>("w", async (context, n) =>
        {
            try
            {
                return $"{await context.CallActivityAsync<int>(n == 0 ? "deadly" : "innocent", n)}";
            }
            catch (TaskFailedException e)
            {
                return e.FailureDetails.ErrorMessage;
            }
        });
        await using (hub = await OpenAsync(new SqliteTaskHubOptions { MaxStarts = 4, MaxConcurrentActivities = places }))
        {
            await hub.StartAsync("w", "guilty", 0);
            while (Volatile.Read(ref runs) == 0)
            {
                await Task.Yield();
            }

            await hub.StartAsync("w", "beside", 7);
            while (hub.Database.Read(connection => (long)connection.Statement("SELECT count(*) FROM durable_tasks").ExecuteScalar()!) < 2)
            {
                await Task.Yield();
            }

            for (var life = 1; life <= 5; life++)
            {
                while (Volatile.Read(ref runs) < life)
                {
                    await Task.Yield();
                }

                await hub.CrashAsync();
            }

            (await hub.WaitForEndAsync("guilty")).Result<string>().ShouldContain("4 times in a row");
            (await hub.WaitForEndAsync("beside")).Result<string>().ShouldBe("7");
        }
    }

    [Fact]
    public async Task InstanceThatIsEndedByItsTurns_StartsNothingThatStillWaits()
    {
        var gate = new TaskCompletionSource();
        var runs = 0;
        _tasks.Activity<int, int>("slow", async n =>
        {
            Interlocked.Increment(ref runs);
            await gate.Task;
            return n;
        });
        _tasks.Orchestrator<int, int>("w", async (context, n) =>
        {
            var all = Enumerable.Range(0, 6).Select(i => context.CallActivityAsync<int>("slow", i)).ToList();
            await Task.WhenAny([.. all, context.WaitForExternalEvent<string>("go")]);
            return n;
        });
        await using var hub = await OpenAsync(new SqliteTaskHubOptions { MaxConcurrentActivities = 2, MaxTurnFailures = 1, ExtendedSessions = false });
        await hub.StartAsync("w", "i", 1);
        while (Volatile.Read(ref runs) < 2)
        {
            await Task.Yield();
        }

        await hub.Database.Writer.EnqueueAsync(connection => connection.Statement("UPDATE durable_history SET data = x'7b' WHERE seq = 3").ExecuteNonQuery());
        await hub.RaiseAsync("i", "go");
        (await hub.WaitForEndAsync("i")).Status.ShouldBe(EngineStatus.Failed);
        gate.SetResult();
        await hub.SettleAsync();

        runs.ShouldBe(2);
    }

    [Fact]
    public async Task OrderlyStops_AreNotHeldAgainstAnActivity()
    {
        var gate = new TaskCompletionSource();
        SqliteHub? hub = null;
        _tasks.Activity<int, int>("long", async n =>
        {
            await gate.Task.WaitAsync(hub!.Shutdown.Token);
            return n;
        });
        _tasks.Orchestrator<int, int>("w", (context, n) => context.CallActivityAsync<int>("long", n));
        await using (hub = await OpenAsync(new SqliteTaskHubOptions { MaxStarts = 1 }))
        {
            await hub.StartAsync("w", "i", 5);
            for (var i = 0; i < 4; i++)
            {
                await hub.RestartAsync();
            }

            gate.SetResult();

            (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(5);
        }
    }

    [Fact]
    public async Task ActivityThatIsDeliveredTwice_IsAnsweredOnce()
    {
        var runs = 0;
        _tasks.Activity<int, int>("counted", _ => Task.FromResult(Interlocked.Increment(ref runs)));
        _tasks.Orchestrator<int, int>("w", async (context, n) => await context.CallActivityAsync<int>("counted", n) * 10);
        await using var hub = await OpenAsync();
        hub.HubOptions.AroundActivity = async (name, run) =>
        {
            await run();
            return await run();
        };

        await hub.StartAsync("w", "i", 1);

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(20);
    }

    private static Task<int> FillDiskAsync(SqliteHub hub) =>
        hub.Database.Writer.EnqueueAsync(connection => connection.Statement("PRAGMA max_page_count=20").ExecuteNonQuery());

    private Task<SqliteHub> OpenAsync(SqliteTaskHubOptions? options = null) => SqliteHub.OpenAsync(_tasks, Logs, options);
}
