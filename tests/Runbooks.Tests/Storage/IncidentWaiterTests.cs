using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;
using TestKit;
using TestKit.Storage;

namespace Runbooks.Tests.Storage;

public sealed class IncidentWaiterTests
{
    private const string Id = "261123-0312-k7m2p9wd";

    private readonly WatchedTime _time = new(Some.Time);
    private readonly InMemoryIncidentStore _hidden = new();
    private readonly SignallingIncidentStore _store;
    private readonly IncidentWaiter _waiter;

    public IncidentWaiterTests()
    {
        var changes = new IncidentChanges();
        _store = new SignallingIncidentStore(_hidden, changes, TimeProvider.System);
        _waiter = new IncidentWaiter(_store, changes, _time);
    }

    [Fact]
    public async Task GoalReachedAlready_AnswersAtOnce()
    {
        await OpenAsync(IncidentState.AwaitingApproval);

        (await WaitAsync(IncidentState.AwaitingApproval)).ShouldNotBeNull();
    }

    [Fact]
    public async Task ChangeInThisProcess_AnswersWithoutTimePassing()
    {
        await OpenAsync(IncidentState.AwaitingApproval);
        var waiting = WaitAsync(null);
        await _time.TimerMade.WaitAsync(Ct);

        await MoveAsync(_store, IncidentState.Mitigating);
        await MoveAsync(_store, IncidentState.Resolved);

        (await waiting)!.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task HostStops_AnswersAsThingsStand()
    {
        await OpenAsync(IncidentState.AwaitingApproval);
        using var host = new StoppableHost();
        var waiting = new IncidentWaiter(_store, new IncidentChanges(), _time, host).WaitAsync(Id, null, TimeSpan.FromMinutes(2), Ct);
        await _time.TimerMade.WaitAsync(Ct);

        host.StopApplication();

        (await waiting)!.State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task ChangeInAnotherProcess_IsSeenAtTheNextLook()
    {
        await OpenAsync(IncidentState.AwaitingApproval);
        var waiting = WaitAsync(null);
        await _time.TimerMade.WaitAsync(Ct);
        await MoveAsync(_hidden, IncidentState.Resolved);
        waiting.IsCompleted.ShouldBeFalse();

        _time.Advance(TimeSpan.FromSeconds(2));

        (await waiting)!.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task StatePassedThroughWhileWaiting_CountsAsReached()
    {
        await OpenAsync(IncidentState.AwaitingApproval);
        var waiting = WaitAsync(IncidentState.Mitigating);
        await _time.TimerMade.WaitAsync(Ct);

        await MoveAsync(_store, IncidentState.Holding);

        (await waiting)!.State.ShouldBe(IncidentState.Holding);
    }

    [Fact]
    public async Task StateThatLiesBehind_IsWaitedForAgain()
    {
        await OpenAsync(IncidentState.Mitigating);
        var waiting = WaitAsync(IncidentState.AwaitingApproval);
        await _time.TimerMade.WaitAsync(Ct);
        waiting.IsCompleted.ShouldBeFalse();

        await MoveAsync(_store, IncidentState.AwaitingApproval);

        (await waiting)!.State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task QuestionThatIsAnswered_IsNotTheNextOne()
    {
        await OpenAsync(IncidentState.AwaitingApproval);
        var answered = await _hidden.UpdateAsync(Id, i => i.CloseGate(i.OpenGate!.Id, GateOutcome.Approved, "ada", Some.Time), Ct);
        answered.State.ShouldBe(IncidentState.AwaitingApproval);
        var waiting = WaitAsync(IncidentState.AwaitingApproval);
        await _time.TimerMade.WaitAsync(Ct);
        waiting.IsCompleted.ShouldBeFalse();

        await MoveAsync(_store, IncidentState.Resolved);

        (await waiting)!.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task TimeUp_AnswersTheStateAsItIs()
    {
        await OpenAsync(IncidentState.AwaitingApproval);

        var waiting = WaitAsync(null);
        for (var look = 0; look < 15; look++)
        {
            await _time.TimerMade.WaitAsync(Ct);
            waiting.IsCompleted.ShouldBeFalse();
            _time.Advance(TimeSpan.FromSeconds(2));
        }

        (await waiting)!.State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task NoSuchIncident_AnswersAtOnce() => (await WaitAsync(null)).ShouldBeNull();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private Task<Incident?> WaitAsync(IncidentState? goal) => _waiter.WaitAsync(Id, goal, TimeSpan.FromSeconds(30), Ct);

    private Task<OpenResult> OpenAsync(IncidentState state) => _hidden.OpenAsync(Some.Waiting(Id) with { State = state }, Some.Runbook(), _ => null, Ct);

    private static Task<Incident> MoveAsync(IIncidentStore store, IncidentState state) => store.UpdateAsync(Id, i => i with { State = state }, Ct);

    /// <summary>Says when somebody has begun to wait, so that time is not moved too early.</summary>
    private sealed class StoppableHost : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => _stopping.Cancel();

        public void Dispose() => _stopping.Dispose();
    }

    private sealed class WatchedTime(DateTimeOffset start) : FakeTimeProvider(start)
    {
        public SemaphoreSlim TimerMade { get; } = new(0);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            TimerMade.Release();
            return timer;
        }
    }
}
