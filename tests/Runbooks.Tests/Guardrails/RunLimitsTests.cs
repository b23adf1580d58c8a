using Microsoft.Extensions.Time.Testing;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;
using TestKit.Storage;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>What counts against a limit, to the moment, and what is remembered for it.</summary>
public sealed class RunLimitsTests
{
    private static readonly DateTimeOffset s_now = Given.Night;
    private static readonly Limits s_limits = new() { MaxRuns = 2, MaxTargets = 2, Per = TimeSpan.FromHours(1) };
    private readonly FakeTimeProvider _time = new(s_now);
    private readonly RunLimits _held;

    public RunLimitsTests() => _held = new(new InMemorySharedState(), _time);

    [Fact]
    public async Task LastFreeRun_IsKeptByWhoeverTookItUntilAPersonOverrules()
    {
        var limits = new Limits { MaxRuns = 1 };
        (await ReserveAsync(limits, "i-1")).ShouldBeNull();

        (await ReserveAsync(limits, "i-2")).ShouldBe("It ran 1 time on this target within 1h; the limit is 1.");

        (await ReserveAsync(limits, "i-1")).ShouldBeNull("who was refused has taken nothing");
        (await ReserveAsync(limits, "i-2", overruled: true)).ShouldBeNull();
    }

    [Fact]
    public async Task LastFreeTarget_IsTakenOnceAndSaidBeforeAnybodyIsAsked()
    {
        const string TooMany = "It acted on 1 target within 1h; the limit is 1. What breaks everywhere at once is rarely fixed one by one.";
        var limits = new Limits { MaxTargets = 1 };
        (await ReserveAsync(limits, "i-1", "a")).ShouldBeNull();

        (await _held.PeekAsync(Given.Incident(Given.Runbook(), "i-2") with { Target = "b" }, Given.Runbook() with { Limits = limits }, CancellationToken.None))!.Why.ShouldBe(TooMany);
        (await ReserveAsync(limits, "i-2", "b")).ShouldBe(TooMany);
        (await ReserveAsync(limits, "i-2", "b")).ShouldBe(TooMany, "what was refused is not reached");
        (await ReserveAsync(limits, "i-3", "b", runbook: "another")).ShouldBeNull("each runbook has targets of its own");

        (await ReserveAsync(limits, "i-2", "b", overruled: true)).ShouldBeNull();
        (await ReserveAsync(limits, "i-4", "b")).ShouldBeNull("a person let it be reached");
    }

    [Fact]
    public async Task RunThatTooManyTargetsRefuse_LeavesThoseOfOthersCounted()
    {
        var once = new Limits { MaxRuns = 1 };
        await ReserveAsync(once, "i-1", "b");
        await ReserveAsync(new() { MaxTargets = 1 }, "i-2", "a");

        (await ReserveAsync(s_limits with { MaxTargets = 1 }, "i-3", "b")).ShouldNotBeNull().ShouldStartWith("It acted on 1 target");

        (await ReserveAsync(once, "i-4", "b")).ShouldBe("It ran 1 time on this target within 1h; the limit is 1.");
    }

    /// <summary>It waited for its turn and was stopped: nothing ran on this target, and nobody is told that it did.</summary>
    [Theory]
    [InlineData(false, null)]
    [InlineData(true, "It ran on this target at 2026-11-23 03:00:00 UTC; the cool-down is 1h.")]
    public async Task PlaceOfAnIncidentThatNeverActed_IsGivenBack(bool acted, string? why)
    {
        var limits = new Limits { CoolDown = TimeSpan.FromHours(1), MaxTargets = 1 };
        await ReserveAsync(limits, "i-1", "a");

        await ReleaseAsync(limits, "i-1", "a", acted);
        await ReleaseAsync(limits, "i-1", "a", acted);

        (await ReserveAsync(limits, "i-2", "a")).ShouldBe(why);
        (await ReserveAsync(limits, "i-3", "b") is null).ShouldBe(false, "a is taken by one of the two");
    }

    [Fact]
    public async Task PlaceThatIsGivenBack_LeavesThoseOfBeforeAndSince()
    {
        var limits = new Limits { CoolDown = TimeSpan.FromHours(1), MaxTargets = 1 };
        await ReserveAsync(limits, "i-1", "a");
        _time.Advance(TimeSpan.FromMinutes(30));
        await ReserveAsync(limits, "i-2", "a", overruled: true);

        await ReleaseAsync(limits, "i-2", "a", acted: false);

        (await ReserveAsync(limits, "i-3", "a")).ShouldBe("It ran on this target at 2026-11-23 03:00:00 UTC; the cool-down is 1h.");
        (await ReserveAsync(limits, "i-3", "b")).ShouldNotBeNull().ShouldStartWith("It acted on 1 target");
        _time.Advance(TimeSpan.FromMinutes(30));
        (await ReserveAsync(limits, "i-3", "b")).ShouldBeNull("that was an hour ago");
        await ReleaseAsync(limits, "i-2", "b", acted: false);
        (await ReserveAsync(limits, "i-4", "a")).ShouldNotBeNull("another has taken the place since");
    }

    /// <summary>What is no longer kept of incidents is kept of their runs for as long as a limit may count them.</summary>
    [Theory]
    [InlineData(30, 29, false, true)]
    [InlineData(31, 30, false, false)]
    [InlineData(31, 0, false, true)]
    [InlineData(31, 30, true, true)]
    public async Task Runs_AreForgottenWhenNoLimitAndNoRecordNeedsThem(int days, int before, bool ranAgain, bool kept)
    {
        var limits = new Limits { MaxRuns = ranAgain ? 2 : 1, Per = TimeSpan.FromDays(60) };
        await ReserveAsync(limits, "i-1");
        _time.Advance(TimeSpan.FromDays(days));
        if (ranAgain)
        {
            await ReserveAsync(limits, "i-2");
        }

        await _held.ForgetAsync(Given.Incident(Given.Runbook()), s_now.AddDays(before), CancellationToken.None);

        (await ReserveAsync(limits, "i-3") is not null).ShouldBe(kept);
    }

    [Theory]
    [InlineData(59, "It ran 2 times on this target within 1h; the limit is 2.")]
    [InlineData(60, null)]
    public void Run_CountsUntilTheTimeOfTheLimitIsOver(int minutes, string? why) =>
        Runs(s_limits, "i-1", "i-2").Exceeded(s_limits, "i-3", s_now.AddMinutes(minutes)).ShouldBe(why);

    [Theory]
    [InlineData(9, "It ran on this target at 2026-11-23 03:00:00 UTC; the cool-down is 10m.")]
    [InlineData(10, null)]
    public void CoolDown_IsOverWithItsTime(int minutes, string? why)
    {
        var limits = new Limits { CoolDown = TimeSpan.FromMinutes(10) };

        Runs(limits, "i-1").Exceeded(limits, "i-2", s_now.AddMinutes(minutes)).ShouldBe(why);
    }

    [Fact]
    public void IncidentThatIsCounted_CountsOnceAndAtTheLatestTime()
    {
        var runs = Runs(s_limits, "i-1", "i-2").With(s_limits, "i-1", s_now.AddMinutes(5));

        runs.Runs.ShouldBe([new CountedRun("i-2", s_now), new CountedRun("i-1", s_now.AddMinutes(5))]);
        runs.Exceeded(s_limits, "i-1", s_now.AddMinutes(6)).ShouldBeNull("it has its place");
        runs.Exceeded(s_limits, "i-3", s_now.AddMinutes(6)).ShouldNotBeNull();
    }

    [Fact]
    public void RunsThatNoLimitCountsAnyMore_AreForgotten()
    {
        Runs(s_limits, "i-1", "i-2", "i-3", "i-4").Runs.Select(run => run.Incident).ShouldBe(["i-2", "i-3", "i-4"], "the last one may be given back");
        Runs(s_limits with { MaxRuns = null }, "i-1", "i-2", "i-3").Runs.Select(run => run.Incident).ShouldBe(["i-2", "i-3"], "a cool-down is after the last one");
    }

    [Theory]
    [InlineData("b", 59, null)]
    [InlineData("c", 59, "It acted on 2 targets within 1h; the limit is 2. What breaks everywhere at once is rarely fixed one by one.")]
    [InlineData("c", 60, null)]
    public void TargetBeyondTheLimit_IsOneMoreThanWereReachedWithinItsTime(string target, int minutes, string? why) =>
        Reached(s_limits, "a", "b").Exceeded(s_limits, target, s_now.AddMinutes(minutes)).ShouldBe(why);

    /// <summary>A person let it run on more targets than the limit has: one more than that is remembered, the latest.</summary>
    [Fact]
    public void TargetsThatPeopleAdded_AreRememberedAsFarAsTheLimitNeeds()
    {
        var reached = BlastRadius.None;
        foreach (var (target, minute) in new[] { ("a", 0), ("b", 1), ("c", 2), ("a", 3), ("d", 4) })
        {
            reached = reached.With(s_limits, target, "i-1", s_now.AddMinutes(minute));
        }

        reached.Targets.ShouldBe(new Dictionary<string, DateTimeOffset> { ["c"] = s_now.AddMinutes(2), ["a"] = s_now.AddMinutes(3), ["d"] = s_now.AddMinutes(4) }, ignoreOrder: true);
        reached.With(s_limits, "e", "i-1", s_now.AddMinutes(63)).Targets.Keys.ShouldBe(["d", "e"], ignoreOrder: true);
    }

    private async Task<string?> ReserveAsync(Limits limits, string incident, string? target = null, string? runbook = null, bool overruled = false)
    {
        var rules = Given.Runbook() with { Limits = limits, Id = runbook ?? Given.Runbook().Id };
        var opened = Given.Incident(rules, incident);
        return (await _held.ReserveAsync(target is null ? opened : opened with { Target = target }, rules, overruled, CancellationToken.None))?.Why;
    }

    private Task ReleaseAsync(Limits limits, string id, string target, bool acted)
    {
        var approved = Some.Gate() with { Outcome = GateOutcome.Approved };
        var step = new StepRecord { Phase = Phase.Mitigation, Name = "fix", Action = "script.act", GateId = approved.Id, StartedAt = s_now, Preparation = new() { PlannedEffect = "Do fix." } };
        return _held.ReleaseAsync(Given.Incident(Given.Runbook(), id) with { Target = target, Gates = [approved], Steps = acted ? [step] : [] }, Given.Runbook() with { Limits = limits }, CancellationToken.None);
    }

    private static CountedRuns Runs(Limits limits, params string[] incidents) =>
        incidents.Aggregate(CountedRuns.None, (runs, incident) => runs.With(limits, incident, s_now));

    private static BlastRadius Reached(Limits limits, params string[] targets) =>
        targets.Aggregate(BlastRadius.None, (reached, target) => reached.With(limits, target, "i-1", s_now));
}
