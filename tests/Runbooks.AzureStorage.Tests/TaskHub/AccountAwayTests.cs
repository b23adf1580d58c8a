using System.Diagnostics;
using Runbooks.Model.Storage;
using Runbooks.Orchestration.TaskHub;
using TestKit;
using TestKit.Engine;
using TestKit.Orchestration;

namespace Runbooks.AzureStorage.Tests.TaskHub;

/// <summary>The account is away for a while, as accounts are.</summary>
public sealed class AccountAwayTests(Azurite azurite)
{
    private readonly TaskHubTasks _tasks = new();
    private readonly TaskCompletionSource _begun = new();
    private readonly TaskCompletionSource _goOn = new();
    private int _runs;

    [Fact]
    public async Task ActivityThatEndsMeanwhile_IsAnsweredLaterAndNotRunAgain()
    {
        // Longer than it is away, however slow the machine is: nobody else takes it.
        await using var hub = await RunAsync(locks: TimeSpan.FromMinutes(5));

        await hub.WhileAwayAsync(async () =>
        {
            _goOn.SetResult();
            await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken);
        });

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(7);
        _runs.ShouldBe(1);
    }

    [Fact]
    public async Task ActivityThatAnotherWorkerTookMeanwhile_MayStillRunHereAgain()
    {
        await using var hub = await RunAsync();

        // Away for longer than the message is locked: then it is somebody else's, and comes back to us from there.
        await hub.WhileAwayAsync(() => hub.TakeAsync("workitems"));
        _goOn.SetResult();

        (await hub.WaitForEndAsync("i")).Result<int>().ShouldBe(7);

        // At least once more, and the more often the slower the machine: its lock is short.
        await Patience.UntilAsync(() => Task.FromResult(Volatile.Read(ref _runs) >= 2), () => "It did not run again.");
    }

    [Fact]
    public async Task WhatIsAskedMeanwhile_FailsInOurWordsAndTheLogStaysShort()
    {
        var (log, took) = (new ListLogger(), Stopwatch.StartNew());
        _goOn.SetResult();
        await using var hub = await RunAsync(log);

        await hub.WhileAwayAsync(async () =>
        {
            (await Should.ThrowAsync<StoreUnavailableException>(() => hub.StartAsync("w", "other", 1))).Message.ShouldBe("Azure Storage cannot be reached.");
            (await Should.ThrowAsync<StoreUnavailableException>(() => hub.RaiseAsync("i", "go"))).Message.ShouldBe("Azure Storage cannot be reached.");
            (await hub.Engine.CheckHealthAsync(TestContext.Current.CancellationToken)).ShouldBe("Tables of the task hub: Azure Storage cannot be reached. Queues of the task hub: Azure Storage cannot be reached.");
            await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        });

        await hub.StartAsync("w", "other", 1);
        (await hub.WaitForEndAsync("other")).Result<int>().ShouldBe(1);
        (await hub.Engine.CheckHealthAsync(TestContext.Current.CancellationToken)).ShouldBeNull();

        // The dispatchers themselves tell of each piece of work once.
        var provider = log.Lines.Where(line => !line.Contains("Dispatcher-", StringComparison.Ordinal)).ToList();
        provider.Count.ShouldBeInRange(1, 12 * (1 + (int)took.Elapsed.TotalMinutes), "each kind of trouble is told once a minute");
        provider.ShouldAllBe(line => line.Length < 400 && !line.Contains('\n'));
    }

    private async Task<AzureHub> RunAsync(ListLogger? log = null, TimeSpan? locks = null)
    {
        _tasks.Activity<int, int>("work", async n =>
        {
            Interlocked.Increment(ref _runs);
            _begun.TrySetResult();
            await _goOn.Task;
            return n;
        });
        _tasks.Orchestrator<int, int>("w", (context, n) => context.CallActivityAsync<int>("work", n));
        var hub = await AzureHub.OpenAsync(azurite, _tasks, log, locks);
        await hub.StartAsync("w", "i", 7);
        await _begun.Task;

        // An activity may begin before the turn that asked for it is committed.
        await hub.SettleAsync();
        return hub;
    }
}
