using DurableTask.Core;
using DurableTask.Core.History;
using Runbooks.Engine;
using Runbooks.Sqlite.DurableTask;

namespace Runbooks.Sqlite.Tests.DurableTask;

public sealed class InstanceQueueTests
{
    private readonly BusyCount _busy = new();
    private readonly InstanceQueue _queue;

    public InstanceQueueTests() => _queue = new InstanceQueue(_busy);

    [Fact]
    public async Task InstanceThatIsSignalledTwice_IsTakenOnce()
    {
        _queue.Signal(1);
        _queue.Signal(1);

        await LockAsync(1);
        _queue.Release(1);

        NothingIsReady();
        _queue.Count.ShouldBe(0);
        _busy.WhenZeroAsync().IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public async Task ReadyInstances_AreTakenInTheOrderInWhichTheyBecameReady()
    {
        _queue.Signal(2);
        _queue.Signal(1);
        _queue.Signal(3);

        await LockAsync(2);
        await LockAsync(1);
        await LockAsync(3);
    }

    [Fact]
    public async Task SignalBeforeTheDatabaseIsRead_IsAnsweredByThatReading()
    {
        _queue.Signal(1);
        (await TakeAsync()).ShouldBe(1);
        _queue.Signal(1);

        _queue.TakeNews(1);
        _queue.Release(1);

        NothingIsReady();
    }

    [Fact]
    public async Task SignalAfterTheDatabaseWasRead_MakesTheInstanceReadyAgain()
    {
        _queue.Signal(1);
        await LockAsync(1);

        _queue.Signal(1);
        NothingIsReady();
        _queue.Release(1);

        await LockAsync(1);
    }

    [Fact]
    public async Task InstanceThatGetsNewsAllTheTime_DoesNotKeepOthersFromTheirTurn()
    {
        _queue.Signal(1);
        await LockAsync(1);
        _queue.Signal(2);
        _queue.Signal(1);

        _queue.Release(1);

        await LockAsync(2);
        await LockAsync(1);
    }

    [Fact]
    public async Task AnswerDuringATurn_IsGivenToTheSession()
    {
        _queue.Signal(1);
        await LockAsync(1);
        var news = _queue.WhenNewsAsync(1);
        news.IsCompleted.ShouldBeFalse();

        _queue.TryAnswer(1, Answer(7)).ShouldBeTrue();

        await news;
        _queue.TakeNews(1).ShouldHaveSingleItem();
        _queue.HasNews(1).ShouldBeFalse();
    }

    [Fact]
    public async Task NewsInASession_SaysWhetherTheDatabaseHasSome()
    {
        _queue.Signal(1);
        await LockAsync(1);

        _queue.TryAnswer(1, Answer(7));
        _queue.TakeNews(1, out var stored);
        stored.ShouldBeFalse();

        _queue.Signal(1);
        _queue.TryAnswer(1, Answer(8));
        _queue.TakeNews(1, out stored);
        stored.ShouldBeTrue();

        _queue.TryAnswer(1, Answer(9));
        _queue.TakeNews(1, out stored);
        stored.ShouldBeFalse();
    }

    [Fact]
    public async Task AnswerThatArrivesAsTheSessionEnds_MakesTheInstanceReadyAgain()
    {
        _queue.Signal(1);
        await LockAsync(1);
        _queue.HasNews(1).ShouldBeFalse();
        _queue.TryAnswer(1, Answer(7));

        _queue.Release(1);

        (await TakeAsync()).ShouldBe(1);
        _queue.TakeNews(1).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task AnswersOfATurnThatFailed_ComeAgainAndFirst()
    {
        _queue.TryAnswer(1, Answer(1));
        (await TakeAsync()).ShouldBe(1);
        var taken = _queue.TakeNews(1);
        _queue.TryAnswer(1, Answer(2));

        _queue.Return(1, taken);
        _queue.Release(1);

        (await TakeAsync()).ShouldBe(1);
        _queue.TakeNews(1).Select(TurnCommit.AnsweredTask).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task PausedInstance_IsNotTakenWhateverArrivesAndCountsAsIdle()
    {
        _queue.TryAnswer(1, Answer(1));
        await TakeAsync();

        _queue.Pause(1);
        _queue.Signal(1);
        _queue.TryAnswer(1, Answer(2));
        NothingIsReady();
        _busy.WhenZeroAsync().IsCompleted.ShouldBeTrue();

        _queue.Resume(1);
        _busy.WhenZeroAsync().IsCompleted.ShouldBeFalse();
        (await TakeAsync()).ShouldBe(1);
        _queue.TakeNews(1).Count.ShouldBe(2);
    }

    [Fact]
    public async Task ClosedQueue_GivesNothingOutAndFreesThoseWhoWait()
    {
        _queue.Signal(1);
        await LockAsync(1);
        var news = _queue.WhenNewsAsync(1);
        _queue.TryAnswer(2, Answer(5));

        _queue.Close();

        await news;
        NothingIsReady();
        _queue.TryAnswer(1, Answer(6)).ShouldBeFalse();
        _queue.Release(1);
        _queue.TakeLeftOver().Select(left => (left.Key, TurnCommit.AnsweredTask(left.Answer))).ShouldBe([(2, 5)]);
    }

    private static TaskMessage Answer(int task) => new() { Event = new TaskCompletedEvent(-1, task, "1"), OrchestrationInstance = new OrchestrationInstance() };

    private async Task LockAsync(long key)
    {
        (await TakeAsync()).ShouldBe(key);
        _queue.TakeNews(key);
    }

    private ValueTask<long> TakeAsync() => _queue.TakeAsync(TestContext.Current.CancellationToken);

    private void NothingIsReady()
    {
        using var never = new CancellationTokenSource();
        var taking = _queue.TakeAsync(never.Token).AsTask();
        taking.IsCompleted.ShouldBeFalse();
        never.Cancel();
    }
}
