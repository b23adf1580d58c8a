using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Steps;
using Runbooks.Execution;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Orchestration;
using Runbooks.Storage;
using TestKit.Incidents;
using TestKit.Storage;

namespace Runbooks.Tests.Execution;

/// <summary>What an action has done is on record, whatever happens to the host or the store at that moment.</summary>
public sealed class KnownOutcomeTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook() with { Mitigation = Given.Runbook().Mitigation with { Steps = [Given.Step("rotate", "script.once")] } };
    private readonly Queue<FlakyIncidentStore.Fault> _faults = [];
    private readonly IncidentWorld _world;

    public KnownOutcomeTests() => _world = new(configure: services => services.AddSingleton<IIncidentStore>(new FlakyIncidentStore(
        (IIncidentStore)services.Last(service => service.ServiceType == typeof(IIncidentStore)).ImplementationInstance!,
        () => _faults.TryDequeue(out var fault) ? fault : FlakyIncidentStore.Fault.None)));

    [Fact]
    public async Task HostStopsWhileTheActionEnds_OutcomeIsRecorded()
    {
        using var stop = new CancellationTokenSource();
        _world.Script.OnDone = _ => stop.Cancel();

        (await RunAsync(stop.Token)).End.ShouldBe(StepOutcome.Done);

        Recorded().Status.ShouldBe(StepStatus.Done);
    }

    /// <summary>It was under way, and was turned away in the time that a host which stops gives it.</summary>
    [Fact]
    public async Task HostStopsWhileTheActionIsTurnedAway_ThatNothingHappenedIsRecorded()
    {
        using var stop = new CancellationTokenSource();
        _world.Script.BeforeActing = _ =>
        {
            stop.Cancel();
            return new AttemptFailedException("Another operation is in progress.") { NothingDone = true };
        };

        (await RunAsync(stop.Token)).End.ShouldBe(StepOutcome.AttemptFailed);

        _world.Store.All.Single().Steps.ShouldBeEmpty("it is no step of unknown outcome");
    }

    /// <summary>Nobody has to wait for the step's time to be over, where several processes share the hub.</summary>
    [Fact]
    public async Task HostStopsAndGivesUpAnUnrepeatableAction_ThatItIsNotKnownIsRecordedAtOnce()
    {
        using var stop = new CancellationTokenSource();
        _world.Script.BeforeActing = _ =>
        {
            stop.Cancel();
            return new OperationCanceledException(stop.Token);
        };

        await Should.ThrowAsync<OperationCanceledException>(() => RunAsync(stop.Token));

        (Recorded().Status, Recorded().CutOff).ShouldBe((StepStatus.Unknown, true));
    }

    /// <summary>It broke off by itself, in the time that a host which stops gives it.</summary>
    [Fact]
    public async Task HostStopsWhileAnUnrepeatableActionBreaksOff_WhatItSaidIsRecorded()
    {
        using var stop = new CancellationTokenSource();
        _world.Script.BeforeActing = _ =>
        {
            stop.Cancel();
            return new AttemptFailedException("The other side answered 502.");
        };

        (await RunAsync(stop.Token)).End.ShouldBe(StepOutcome.Unknown);

        Recorded().Status.ShouldBe(StepStatus.Unknown);
        Recorded().Outcome.ShouldBe("It broke off (The other side answered 502.) and cannot be repeated safely, so a person has to look whether it happened.");
    }

    [Theory]
    [InlineData(FlakyIncidentStore.Fault.Before)]
    [InlineData(FlakyIncidentStore.Fault.After)]
    public async Task StoreBreaksOffWhenTheOutcomeIsRecorded_OutcomeIsStillKnown(FlakyIncidentStore.Fault fault)
    {
        _world.Script.OnDone = _ => _faults.Enqueue(fault);

        (await RunAsync(CancellationToken.None)).End.ShouldBe(StepOutcome.Done);

        Recorded().Status.ShouldBe(StepStatus.Done);
    }

    /// <summary>A full disk, a partition that moves: the process knows the result, and nobody else does.</summary>
    [Fact]
    public async Task StoreIsAwayForMinutes_OutcomeIsRecordedOnceItIsBack()
    {
        (await RecordAsync(away: TimeSpan.FromMinutes(4), CancellationToken.None)).ShouldBeInRange(TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(4.1));
        _world.Store.All.Single().Reason.ShouldBe("rotated");
    }

    [Theory]
    [InlineData(false, 5 * 60)]
    [InlineData(true, 10)]
    public async Task StoreStaysAway_TheOutcomeIsGivenUpAfterAWhile(bool stops, int seconds)
    {
        var took = TimeSpan.Zero;
        await Should.ThrowAsync<StoreUnavailableException>(async () => took = await RecordAsync(away: TimeSpan.FromHours(1), new CancellationToken(stops), passed => took = passed));
        took.ShouldBeInRange(TimeSpan.FromSeconds(seconds - 1), TimeSpan.FromSeconds(seconds + 1));
    }

    [Fact]
    public async Task PlaceCannotBeFreed_TheStepIsDoneAllTheSame()
    {
        _world.Get<IOptionsMonitor<SafetyOptions>>().CurrentValue.MaxConcurrent["script.once"] = 1;
        _world.Script.OnDone = _ => _world.State.Fault = () => new StoreUnavailableException("busy");

        (await RunAsync(CancellationToken.None)).End.ShouldBe(StepOutcome.Done);
    }

    [Fact]
    public async Task HostStopsWhileAnUnrepeatableActionRuns_ItIsWaitedForAWhile()
    {
        var (time, answer) = (new FakeTimeProvider(), new TaskCompletionSource<int>());
        using var stop = new CancellationTokenSource();
        var working = Deadline.WithinAsync(TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(10), time, _ => answer.Task, progress: null, stop.Token);

        await stop.CancelAsync();
        time.Advance(TimeSpan.FromSeconds(9));
        answer.SetResult(7);

        (await working).ShouldBe(7);
    }

    [Fact]
    public async Task UnrepeatableActionGoesOnForLongAfterTheStop_IsToldAndGivenUp()
    {
        var (time, told) = (new FakeTimeProvider(), new TaskCompletionSource());
        using var stop = new CancellationTokenSource();
        var working = Deadline.WithinAsync<int>(TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(10), time, async token =>
        {
            token.Register(told.SetResult);
            await Task.Delay(Timeout.InfiniteTimeSpan, time, token);
            return 7;
        }, progress: null, stop.Token);

        await stop.CancelAsync();
        await Task.Yield();
        time.Advance(TimeSpan.FromSeconds(11));

        await Should.ThrowAsync<OperationCanceledException>(working);
        told.Task.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public async Task UndoingTakesLong_IsSpreadOverActivitiesAndAllOfItIsUndone()
    {
        var steps = new[] { "one", "two", "three" };
        var activities = 0;
        await using var world = new IncidentWorld(new WorldHubOptions
        {
            Around = (activity, run) =>
            {
                activities += activity == nameof(UndoSteps) ? 1 : 0;
                return run();
            },
        });
        world.Script.BeforeUndoing = name =>
        {
            world.Time.Advance(TimeSpan.FromMinutes(11));

            // It fails as long as others wait for their turn.
            return name == "three" && world.Script.Count("undo one") == 0 ? new IOException("refused") : null;
        };
        var runbook = Given.Runbook();
        var opened = await world.OpenAsync(runbook with { Mitigation = runbook.Mitigation with { Steps = [.. steps.Select(name => Given.Step(name))] } });
        await world.DecideAsync(opened.Id, DecisionVerb.Approve);

        // Undoing lets the clock run on beyond that by itself.
        await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));
        var incident = await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Steps.ShouldAllBe(step => step.Status == StepStatus.Undone);
        activities.ShouldBe(4, "each had time for one, and the one that failed came last");
    }

    [Fact]
    public async Task LookingHangs_IsCutOffLongBeforeTheActivityIs()
    {
        var time = new FakeTimeProvider();
        var step = Given.Step("slow") with { Timeout = StepSpec.LongestTimeout };
        var looking = Deadline.WithinAsync<int>(step.LookTimeout, time, async token =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, token);
            return 7;
        }, CancellationToken.None);

        time.Advance(StepSpec.LongestLook);

        await Should.ThrowAsync<TimeoutException>(looking);
        (Given.Step("quick") with { Timeout = TimeSpan.FromSeconds(5) }).LookTimeout.ShouldBe(TimeSpan.FromSeconds(5));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    /// <returns>How long it took.</returns>
    private async Task<TimeSpan> RecordAsync(TimeSpan away, CancellationToken stopping, Action<TimeSpan>? attempt = null)
    {
        var opened = await _world.OpenAsync(s_runbook);
        var time = new PassingTime();
        var start = time.GetUtcNow();
        var store = new FlakyIncidentStore(_world.Store, () =>
        {
            attempt?.Invoke(time.GetUtcNow() - start);
            return time.GetUtcNow() - start < away ? FlakyIncidentStore.Fault.Before : FlakyIncidentStore.Fault.None;
        });
        await store.RecordAsync(opened.Id, i => i with { Reason = "rotated" }, time, stopping);
        return time.GetUtcNow() - start;
    }

    /// <summary>A short pause is over as soon as somebody waits for it.</summary>
    private sealed class PassingTime : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime <= TimeSpan.FromSeconds(1))
            {
                Advance(dueTime);
            }

            return timer;
        }
    }

    private async Task<StepResult> RunAsync(CancellationToken stop)
    {
        var opened = await _world.OpenAsync(s_runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve, wake: false);
        return await _world.Get<StepRunner>().RunAsync(_world.Store.All.Single(), new StepRequest(Phase.Mitigation, "rotate", "mitigation-1"), stop);
    }

    private StepRecord Recorded() => _world.Store.All.Single().Steps.ShouldHaveSingleItem();
}
