using Runbooks.Execution;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Orchestration;
using TestKit.Incidents;

namespace Runbooks.Tests.Execution;

/// <summary>Answers and approvals age: hours may pass between a yes and the deed, and then the checks are asked once more.</summary>
public sealed class GroundCheckTests : IAsyncDisposable
{
    private static readonly TimeSpan s_outage = TimeSpan.FromHours(6);
    private static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new() };
    private readonly IncidentWorld _world;
    private readonly Queue<Action> _beforeSteps = [];
    private Action _beforeEnd = () => { };
    private bool _runsTwice;

    public GroundCheckTests()
    {
        _world = new(new WorldHubOptions { Around = AroundAsync });
        _world.Script.OnDone = name => _world.Script.Verdicts["stuck"] = name == "fix" ? Verdict.Passing : _world.Script.Verdicts["stuck"];
    }

    [Fact]
    public async Task ApprovedLongAgoAndTheChecksStillFail_ActsAfterAskingAgain()
    {
        BeforeStep(() => _world.Time.Advance(s_outage));
        var opened = await _world.OpenAsync(s_runbook);

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix"]);
        _world.Script.Asked.ShouldBe(["stuck", "full", "stuck", "full", "stuck"], ignoreOrder: true);
        incident.Timeline.ShouldContain(line => line.What.Contains("the reasons to act still hold", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ApprovedAMomentAgo_AsksNothingAgain()
    {
        var opened = await _world.OpenAsync(s_runbook);

        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        _world.Script.Asked.ShouldBe(["stuck", "full", "stuck"], ignoreOrder: true);
    }

    [Fact]
    public async Task ApprovedLongAgoAndTheChecksPassNow_AsksAnewWithTheNewAnswers()
    {
        BeforeStep(() =>
        {
            _world.Time.Advance(s_outage);
            _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
        });
        var opened = await _world.OpenAsync(s_runbook);

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Id.ShouldBe("mitigation-2");
        incident.OpenGate.Difference.ShouldNotBeNull().ShouldContain("stuck: passing");
        GroundCheck.IsOfAnswers(incident.OpenGate.Difference).ShouldBeTrue();
        incident.Findings.ShouldAllBe(finding => finding.Verdict == Verdict.Passing);
        _world.Script.Deeds.ShouldBeEmpty();

        // Whoever has seen that and wants it all the same gets it, however long that took.
        BeforeStep(() => _world.Time.Advance(s_outage));
        (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix"]);
    }

    /// <summary>The activity died after the checks had said no, or its call is delivered twice: no answer of just now makes the old approval good again.</summary>
    [Fact]
    public async Task ApprovedLongAgoAndTheChecksPassNow_NeitherDoesASecondAttemptAct()
    {
        BeforeStep(() =>
        {
            _world.Time.Advance(s_outage);
            _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
        });
        var opened = await _world.OpenAsync(s_runbook);
        _runsTwice = true;

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        _world.Script.Deeds.ShouldBeEmpty();
        incident.OpenGate!.Difference.ShouldNotBeNull().ShouldContain("stuck: passing");
        incident.Timeline.Count(line => line.What.Contains("the reasons to act are not seen any more", StringComparison.Ordinal)).ShouldBe(1);
    }

    /// <summary>It asks nobody, but its alert fires on: one of the two is wrong, and the sender may say it only once.</summary>
    [Theory]
    [InlineData(360)]
    [InlineData(10)]
    public async Task HealsItselfAndTheChecksPassBeforeItActs_EndsAndIsTold(int minutes)
    {
        BeforeStep(() =>
        {
            _world.Time.Advance(TimeSpan.FromMinutes(minutes));
            _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
        });

        var incident = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = null } });

        incident.State.ShouldBe(IncidentState.SelfRecovered);
        incident.Reason.ShouldBe("Before anything was done the checks were asked again, and they no longer call for it. The sender has not said that the alert is over.");
        _world.Script.Deeds.ShouldBeEmpty();
        var (to, card) = _world.Notifier.Sent.ShouldHaveSingleItem();
        (to, card.Kind).ShouldBe(("fallback", CardKind.Closed));
    }

    [Fact]
    public async Task HealsItselfAndTheChecksCannotSayBeforeItActs_AsksPeople()
    {
        BeforeStep(() =>
        {
            _world.Time.Advance(TimeSpan.FromMinutes(10));
            _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Unknown;
        });

        var incident = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = null } });

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Difference.ShouldNotBeNull().ShouldContain("stuck: unknown");
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task HealsItselfAndAnAlertBeginsBetweenTheLookAndTheEnd_ItGetsAnIncidentOfItsOwn()
    {
        var later = Given.Alert() with { Fingerprint = "f2", Name = "ThingFull" };
        BeforeStep(() =>
        {
            _world.Time.Advance(s_outage);
            _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
        });
        _beforeEnd = () =>
        {
            _world.Time.Advance(TimeSpan.FromSeconds(1));
            _world.Store.UpdateAsync(_world.Store.All[0].Id, i => (i.Attach(later, _world.Time.GetUtcNow()), true), CancellationToken.None).GetAwaiter().GetResult();
        };

        var incident = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = null } });

        incident.State.ShouldBe(IncidentState.SelfRecovered);
        var next = _world.Store.All.Single(one => one.Id != incident.Id);
        (next.FollowUpOf, next.Alert.Name).ShouldBe((incident.Id, later.Name));
    }

    [Fact]
    public async Task NoChecksAndApprovedLongAgo_AsksAnew()
    {
        BeforeStep(() => _world.Time.Advance(s_outage));
        var opened = await _world.OpenAsync(s_runbook with { Diagnosis = [], Mitigation = s_runbook.Mitigation with { Verify = null } });

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Difference.ShouldNotBeNull().ShouldBe("The approval is older than 30m, and there are no checks that could say whether it still holds.");
        GroundCheck.IsOfAnswers(incident.OpenGate.Difference).ShouldBeTrue();
        _world.Script.Deeds.ShouldBeEmpty();
        (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task ResolutionThatTheMitigationsYesCoversNoLonger_IsAskedAboutAndNotSkipped()
    {
        BeforeStep(() => { });
        BeforeStep(() =>
        {
            _world.Time.Advance(s_outage);
            _world.Script.Verdicts["stuck"] = Verdict.Failing;
        });
        var opened = await _world.OpenAsync(Given.Runbook());

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Phase.ShouldBe(Phase.Resolution);
        incident.OpenGate.Approvers.ShouldContain("oncall");
        _world.Script.Deeds.ShouldBe(["do fix"]);

        _world.Script.Verdicts["stuck"] = Verdict.Passing;
        (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "do ticket"]);
    }

    [Theory]
    [InlineData(false, IncidentState.Resolved)]
    [InlineData(true, IncidentState.AwaitingApproval)]
    public async Task ResolutionLongAfterTheMitigation_RestsOnEveryCheckOfTheVerificationAndOnNoOther(bool verifiesBoth, IncidentState state)
    {
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
        BeforeStep(() => { });
        BeforeStep(() =>
        {
            _world.Time.Advance(s_outage);
            _world.Script.Verdicts["full"] = Verdict.Failing;
        });
        var mitigation = Given.Runbook().Mitigation;
        var opened = await _world.OpenAsync(Given.Runbook() with { Mitigation = mitigation with { Verify = mitigation.Verify! with { Checks = verifiesBoth ? ["stuck", "full"] : ["stuck"] } } });

        (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(state);
    }

    /// <summary>The checks take their time, whether the approval is old or only the answers are, and somebody pauses everything meanwhile.</summary>
    [Theory]
    [InlineData(360)]
    [InlineData(10)]
    public async Task PausedWhileTheChecksAreAskedAgain_DoesNotAct(int minutes)
    {
        var opened = await _world.OpenAsync(s_runbook);
        BeforeStep(() =>
        {
            _world.Time.Advance(TimeSpan.FromMinutes(minutes));
            _world.Script.OnAsk = _ => _world.Get<KillSwitch>().EngageAsync("ada", "wrong pods", CancellationToken.None).GetAwaiter().GetResult();
        });

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.Mitigating);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private void BeforeStep(Action happens) => _beforeSteps.Enqueue(happens);

    private async Task<object?> AroundAsync(string activity, Func<Task<object?>> run)
    {
        var runsSteps = activity is nameof(ReviewGate) or nameof(RunSteps);
        if (runsSteps && _beforeSteps.TryDequeue(out var happens))
        {
            happens();
        }

        if (activity == nameof(EndIncident))
        {
            _beforeEnd();
        }

        var result = await run();
        return runsSteps && _runsTwice ? await run() : result;
    }
}
