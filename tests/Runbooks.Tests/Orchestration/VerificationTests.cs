using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>When a fix counts as one: it passes in a row, and what it is credited with did not pass before it.</summary>
public sealed class VerificationTests : IAsyncDisposable
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(15);
    private static readonly Runbook s_base = Given.Runbook() with { Resolution = new() };
    private static readonly Runbook s_twice = s_base with { Mitigation = s_base.Mitigation with { Verify = new(["stuck"], s_every, TimeSpan.FromMinutes(5), SuccessThreshold: 2) } };
    private readonly IncidentWorld _world = new();

    [Fact]
    public async Task OnePassingRound_IsNotYetVerified()
    {
        var verifying = await ActAsync(s_twice, Verdict.Passing);

        verifying.State.ShouldBe(IncidentState.Verifying);
        var ended = await _world.AdvanceAsync(verifying.Id, s_every);

        ended.State.ShouldBe(IncidentState.Resolved);
        ended.Reason.ShouldBe("The fix was verified: stuck passed 2 times in a row after it.");
    }

    [Fact]
    public async Task PassesOnceAndFailsAgain_IsUndone()
    {
        var verifying = await ActAsync(s_twice, Verdict.Passing);
        _world.Script.Verdicts["stuck"] = Verdict.Failing;

        var ended = await _world.AdvanceAsync(verifying.Id, TimeSpan.FromMinutes(6));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason!.ShouldContain("Undone: fix");
    }

    [Fact]
    public async Task UnknownBetweenTwoPasses_CountsAnew()
    {
        var verifying = await ActAsync(s_twice, Verdict.Passing);
        _world.Script.Verdicts["stuck"] = Verdict.Unknown;
        await _world.AdvanceAsync(verifying.Id, s_every);
        _world.Script.Verdicts["stuck"] = Verdict.Passing;

        (await _world.AdvanceAsync(verifying.Id, s_every)).State.ShouldBe(IncidentState.Verifying);
        (await _world.AdvanceAsync(verifying.Id, s_every)).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task WokenEarly_IsNoSecondRound()
    {
        var verifying = await ActAsync(s_twice, Verdict.Passing);

        await _world.Engine.RaiseAsync(verifying.Id, verifying.WakeEvent!);

        (await _world.SettleAsync(verifying.Id)).State.ShouldBe(IncidentState.Verifying);
        (await _world.AdvanceAsync(verifying.Id, s_every + TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.Resolved);
    }

    /// <summary>As timers of the Functions host do, the one after it too.</summary>
    [Fact]
    public async Task TimerThatFiresEarly_MakesOneMoreRoundOnly()
    {
        var early = TimeSpan.FromSeconds(0.5);
        var verifying = await ActAsync(s_twice, Verdict.Passing);
        await _world.AdvanceAsync(verifying.Id, s_every - early);
        await _world.Engine.RaiseAsync(verifying.Id, verifying.WakeEvent!);
        var looked = await _world.SettleAsync(verifying.Id);
        await _world.AdvanceAsync(verifying.Id, TimeSpan.FromSeconds(1));

        await _world.Engine.RaiseAsync(verifying.Id, looked.WakeEvent!);

        var ended = await _world.SettleAsync(verifying.Id);
        ended.State.ShouldBe(IncidentState.Resolved);
        ended.VerificationRounds.Where(round => round.State == IncidentState.Verifying).Sum(round => round.Rounds).ShouldBe(3);
    }

    [Fact]
    public async Task BeginsToPassAtTheLastMoment_HasTheTimeToGoOn()
    {
        var verifying = await ActAsync(s_twice, Verdict.Failing);
        await _world.AdvanceAsync(verifying.Id, TimeSpan.FromMinutes(5) - s_every);
        _world.Script.Verdicts["stuck"] = Verdict.Passing;

        (await _world.AdvanceAsync(verifying.Id, s_every)).State.ShouldBe(IncidentState.Verifying);
        (await _world.AdvanceAsync(verifying.Id, s_every)).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task HostWasDownWhileItWasVerified_TheFixHasItsTimeAgain()
    {
        var verifying = await ActAsync(s_base, Verdict.Failing);
        _world.Time.Advance(TimeSpan.FromHours(6));

        var looked = await _world.AdvanceAsync(verifying.Id, TimeSpan.FromMinutes(4));
        looked.State.ShouldBe(IncidentState.Verifying);
        looked.Timeline.ShouldContain(line => line.Kind == TimelineKind.Verification && line.What == "The checks were not asked for 6h, so the time in which they have to pass starts again.");

        var ended = await _world.AdvanceAsync(verifying.Id, TimeSpan.FromMinutes(1));
        ended.Reason!.ShouldStartWith("The fix did not help within 5m");
    }

    [Fact]
    public async Task HostIsLateForEveryLook_TheFixThatDoesNotHelpIsTakenBack()
    {
        var incident = await ActAsync(s_base, Verdict.Failing);
        for (var look = 1; look <= 8; look++)
        {
            _world.Time.Advance(TimeSpan.FromMinutes(2));
            incident = await _world.AdvanceAsync(incident.Id, s_every);
            if (look == 3)
            {
                incident.State.ShouldBe(IncidentState.Verifying);
            }
        }

        incident.Reason!.ShouldStartWith("The fix did not help within 5m");
        incident.Timeline.Count(line => line.What.StartsWith("The checks were not asked for 2m", StringComparison.Ordinal)).ShouldBe(3);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task HostWasDownBeforeTheFirstLook_TheFixHasItsTimeAgain()
    {
        IncidentWorld? world = null;
        var isDown = false;
        await using var down = world = new IncidentWorld(new WorldHubOptions
        {
            Around = (name, work) =>
            {
                world!.Time.Advance(name == nameof(Runbooks.Orchestration.Recheck) && !isDown ? TimeSpan.FromHours(6) : TimeSpan.Zero);
                isDown |= name == nameof(Runbooks.Orchestration.Recheck);
                return work();
            },
        });
        var opened = await world.OpenAsync(s_base);
        var verifying = (await world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident;

        verifying.State.ShouldBe(IncidentState.Verifying);
        (await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(4))).State.ShouldBe(IncidentState.Verifying);
        (await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.Failed);
    }

    /// <summary>The host dies once more after it has recorded the look.</summary>
    [Fact]
    public async Task LookAfterTheHostWasDownIsTakenTwice_TheFixHasItsTimeAgain()
    {
        var twice = false;
        await using var world = new IncidentWorld(new WorldHubOptions
        {
            Around = async (name, work) =>
            {
                if (twice && name == nameof(Runbooks.Orchestration.Recheck))
                {
                    await work();
                }

                return await work();
            },
        });
        var opened = await world.OpenAsync(s_base);
        await world.DecideAsync(opened.Id, DecisionVerb.Approve);
        world.Time.Advance(TimeSpan.FromHours(6));
        twice = true;

        (await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(4))).State.ShouldBe(IncidentState.Verifying);
    }

    [Fact]
    public async Task ValueOfBeforeTheFix_IsUnclearUntilALaterOneComes()
    {
        _world.Script.Measured["stuck"] = Given.Night - TimeSpan.FromMinutes(1);
        var verifying = await ActAsync(s_base, Verdict.Passing);

        var waiting = await _world.AdvanceAsync(verifying.Id, TimeSpan.FromMinutes(2));
        waiting.State.ShouldBe(IncidentState.Verifying);
        waiting.Verification.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            one => one.Verdict.ShouldBe(Verdict.Unknown),
            one => one.Result.Summary.ShouldBe("Measured until 02:59:00 UTC, and the last step ended at 03:00:00 UTC, so it does not count: stuck was asked"));

        _world.Script.Measured["stuck"] = Given.Night + TimeSpan.FromMinutes(1);
        (await _world.AdvanceAsync(verifying.Id, s_every)).State.ShouldBe(IncidentState.Resolved);
    }

    [Theory]
    [InlineData(Verdict.Passing)]
    [InlineData(Verdict.Failing)]
    public async Task OnlyValuesOfBeforeTheFix_SayNeitherThatItHelpedNorThatItDidNot(Verdict verdict)
    {
        _world.Script.Measured["stuck"] = Given.Night;
        var verifying = await ActAsync(s_base, verdict);

        var ended = await _world.AdvanceAsync(verifying.Id, TimeSpan.FromMinutes(6));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason!.ShouldStartWith("Whether the fix helped could not be found out within 5m");
    }

    [Fact]
    public async Task SameValueAskedOften_IsOneRound()
    {
        _world.Script.Measured["stuck"] = Given.Night + TimeSpan.FromSeconds(1);
        var verifying = await ActAsync(s_twice, Verdict.Passing);

        (await _world.AdvanceAsync(verifying.Id, TimeSpan.FromMinutes(20))).State.ShouldBe(IncidentState.Verifying);
        _world.Script.Asked.Count(name => name == "stuck").ShouldBeLessThan(20 * 4 + 5);

        _world.Script.Measured["stuck"] = Given.Night + TimeSpan.FromMinutes(20);
        var ended = await _world.AdvanceAsync(verifying.Id, s_every);
        ended.State.ShouldBe(IncidentState.Resolved);
        ended.Reason.ShouldBe("The fix was verified: stuck passed 2 times in a row after it.");
    }

    /// <summary>The series ended with the pod that was measured; its last value is given on and on.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public async Task ValueThatNeverAdvances_IsNotWaitedForWithoutEnd(int minutesUntilTheLast)
    {
        var threeTimes = s_base with { Mitigation = s_base.Mitigation with { Verify = s_base.Mitigation.Verify! with { SuccessThreshold = 3 } } };
        _world.Script.Measured["stuck"] = Given.Night + TimeSpan.FromSeconds(1);
        var verifying = await ActAsync(threeTimes, Verdict.Passing);
        await _world.AdvanceAsync(verifying.Id, TimeSpan.FromMinutes(minutesUntilTheLast));
        _world.Script.Measured["stuck"] = Given.Night + TimeSpan.FromMinutes(minutesUntilTheLast) + TimeSpan.FromSeconds(1);

        (await _world.AdvanceAsync(verifying.Id, TimeSpan.FromMinutes(29))).State.ShouldBe(IncidentState.Verifying);
        var ended = await _world.AdvanceAsync(verifying.Id, TimeSpan.FromMinutes(2));

        (ended.State, ended.IsInconclusive).ShouldBe((IncidentState.Failed, true));
        ended.Reason.ShouldBe("Whether the fix helped could not be found out: the checks passed, and for longer than 30m no newer value came. Undone: fix.");
    }

    [Fact]
    public async Task CameRightByItselfBeforeTheYes_IsNotCreditedToTheStep()
    {
        var opened = await _world.OpenAsync(s_base);
        _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(3));

        var (ended, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        EndingText.Headline(ended).ShouldBe("Done, not verified");
        ended.Reason.ShouldBe("The steps ran. stuck passed after them, as before them, so nothing shows whether they helped.");
        ended.Timeline.ShouldContain(line => line.What.StartsWith("This passed before the first step already", StringComparison.Ordinal));
    }

    [Fact]
    public async Task StillFailingBeforeTheYes_IsCredited()
    {
        var opened = await _world.OpenAsync(s_base);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(3));
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

        var (ended, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        EndingText.IsVerifiedFix(ended).ShouldBeTrue();
        ended.VerificationRounds[0].State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task AnsweredAtOnce_TheChecksAreNotAskedAgainBeforeTheStep()
    {
        var ended = await ActAsync(s_base, Verdict.Passing);

        ended.VerificationRounds.ShouldEach(round => round.State == IncidentState.Verifying);
    }

    private async Task<Incident> ActAsync(Runbook runbook, Verdict afterwards)
    {
        var opened = await _world.OpenAsync(runbook);
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = afterwards;
        return (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident;
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
