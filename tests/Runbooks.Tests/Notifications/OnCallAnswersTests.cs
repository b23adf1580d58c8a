using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Notifications;
using TestKit;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.Tests.Notifications;

public sealed class OnCallAnswersTests
{
    private static readonly OnCallSchedule s_schedule = new("rota", "R1", []);

    private readonly FakeTimeProvider _time = new(Some.Time);
    private readonly ScriptedSchedule _rota = new ScriptedSchedule().Put("ada");
    private readonly InMemorySharedState _state = new();
    private OnCallAnswers _answers;

    public OnCallAnswersTests() => _answers = Restarted();

    [Fact]
    public async Task WithinMinutes_TheScheduleIsAskedOnce()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => AskAsync()));
        _rota.Asked.ShouldBe(1);

        _time.Advance(TimeSpan.FromMinutes(2));
        (await AskAsync()).Now.ShouldHaveSingleItem().Person.Name.ShouldBe("ada");
        _rota.Asked.ShouldBe(2);
    }

    [Fact]
    public async Task EndOfAShift_IsNotWaitedOut()
    {
        _rota.Put("ada", until: Some.Time.AddSeconds(30)).KnownUntil = Some.Time.AddSeconds(30);
        await AskAsync();

        _rota.Put("grace").KnownUntil = null;
        _time.Advance(TimeSpan.FromSeconds(30));

        (await AskAsync()).Now.ShouldHaveSingleItem().Person.Name.ShouldBe("grace");
    }

    [Fact]
    public async Task ShiftThatEndsWhileTheScheduleAnswers_ItIsAskedAgainAtOnce()
    {
        _rota.Put("ada", until: Some.Time.AddSeconds(1)).KnownUntil = Some.Time.AddSeconds(1);
        _rota.Answering = asked =>
        {
            if (asked == 1)
            {
                _time.Advance(TimeSpan.FromSeconds(2));
            }
            else
            {
                _rota.Put("grace").KnownUntil = null;
            }
        };

        var answer = await AskAsync();

        (answer.Now.ShouldHaveSingleItem().Person.Name, answer.Failure).ShouldBe(("grace", null));
    }

    [Fact]
    public async Task ShiftThatIsOverByOurClockOnly_IsTheNewestThereIs()
    {
        _rota.Put("ada", until: Some.Time.AddSeconds(-1)).KnownUntil = Some.Time.AddSeconds(-1);

        var answer = await AskAsync();

        (answer.Now.ShouldHaveSingleItem().Person.Name, answer.KnownAt, answer.Failure).ShouldBe(("ada", null, null));
        _rota.Asked.ShouldBe(2);
    }

    [Fact]
    public async Task ClockThatIsSetBack_ItIsAskedAnew()
    {
        await AskAsync();
        _time.AdjustTime(Some.Time.AddHours(-1));
        _rota.Put("grace");
        (await AskAsync()).Now.ShouldHaveSingleItem().Person.Name.ShouldBe("grace");
    }

    [Theory]
    [InlineData(239, true)]
    [InlineData(240, false)]
    public async Task OutageOfTheSchedule_TheLastAnswerIsUsedForAWhile(int minutes, bool known)
    {
        await AskAsync();
        _rota.Fault = "it answered 429.";
        _time.Advance(TimeSpan.FromMinutes(minutes));

        var answer = await AskAsync();

        answer.Failure.ShouldBe("it answered 429.");
        answer.Now.Count.ShouldBe(known ? 1 : 0);
        answer.KnownAt.ShouldBe(known ? Some.Time : null);
    }

    [Fact]
    public async Task OutageBeyondTheEndOfTheShift_TheLastAnswerIsNotUsed()
    {
        _rota.Put("ada", until: Some.Time.AddMinutes(10)).KnownUntil = Some.Time.AddMinutes(10);
        await AskAsync();
        _rota.Fault = "it answered 500.";
        _time.Advance(TimeSpan.FromMinutes(10));

        (await AskAsync()).Now.ShouldBeEmpty();
    }

    [Fact]
    public async Task RestartInAnOutage_TheLastAnswerIsStillKnown()
    {
        await AskAsync();
        _rota.Fault = "it answered 500.";
        _time.Advance(TimeSpan.FromMinutes(10));
        _answers = Restarted();

        (await AskAsync()).Now.ShouldHaveSingleItem().Person.Name.ShouldBe("ada");
    }

    [Fact]
    public async Task NewerAnswerOfAnotherHost_IsUsedInAnOutage()
    {
        await AskAsync();
        _time.Advance(TimeSpan.FromMinutes(10));
        _rota.Put("grace");
        await Restarted().AskAsync(s_schedule, TestContext.Current.CancellationToken);
        _rota.Fault = "it answered 500.";

        (await AskAsync()).Now.ShouldHaveSingleItem().Person.Name.ShouldBe("grace");
    }

    [Fact]
    public async Task NewerAnswerOfAnotherHost_IsNotWrittenOver()
    {
        var later = new FakeTimeProvider(Some.Time.AddMinutes(5));
        await new OnCallAnswers([new ScriptedSchedule().Put("grace")], new FixedOptions<OnCallOptions>(new()), later, NullLogger<OnCallAnswers>.Instance, _state).AskAsync(s_schedule, TestContext.Current.CancellationToken);

        (await AskAsync()).Now.ShouldHaveSingleItem().Person.Name.ShouldBe("ada");

        _rota.Fault = "it answered 500.";
        _time.Advance(TimeSpan.FromMinutes(10));
        _answers = Restarted();
        (await AskAsync()).Now.ShouldHaveSingleItem().Person.Name.ShouldBe("grace");
    }

    [Fact]
    public async Task AnswersThatAreNeverFresh_AreNoOutage()
    {
        _answers = Restarted(new() { CacheFor = TimeSpan.Zero });

        (await AskAsync()).ShouldSatisfyAllConditions(
            answer => answer.Now.ShouldHaveSingleItem(), answer => (answer.KnownAt, answer.Failure).ShouldBe((null, null)));
    }

    [Fact]
    public async Task ScheduleThatFails_IsLeftAloneForAMoment()
    {
        _rota.Fault = "it answered 500.";
        await AskAsync();
        (await AskAsync()).Failure.ShouldBe("it answered 500.");
        _rota.Asked.ShouldBe(1);

        _rota.Fault = null;
        _time.Advance(TimeSpan.FromSeconds(30));
        (await AskAsync()).ShouldSatisfyAllConditions(answer => answer.Failure.ShouldBeNull(), answer => answer.Now.ShouldHaveSingleItem());
    }

    [Fact]
    public async Task ScheduleThatHangs_IsNotWaitedFor()
    {
        _rota.Hangs = true;

        var asking = AskAsync();
        await _time.UntilDoneAsync(asking);
        var answer = await asking;

        answer.Failure.ShouldBe("it did not answer within 8 s.");
        (_time.GetUtcNow() - Some.Time).ShouldBeLessThan(TimeSpan.FromSeconds(20));
    }

    private Task<OnCallAnswer> AskAsync() => _answers.AskAsync(s_schedule, TestContext.Current.CancellationToken);

    private OnCallAnswers Restarted(OnCallOptions? options = null) => new([_rota], new FixedOptions<OnCallOptions>(options ?? new()), _time, NullLogger<OnCallAnswers>.Instance, _state);
}
