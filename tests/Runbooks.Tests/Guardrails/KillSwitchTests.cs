using System.Text.Json;
using Microsoft.Extensions.Logging;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using TestKit.Engine;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Guardrails;

/// <summary>What happens to questions, steps and leases while nothing may act.</summary>
public sealed partial class KillSwitchTests : GuardedWorld
{
    private static readonly Hold s_lease = new(["full"], StableFor: TimeSpan.FromMinutes(5), AtMost: TimeSpan.FromHours(9), Every: TimeSpan.FromSeconds(30));

    [Fact]
    public async Task TheSameSentTwice_IsOnRecordAndInTheLogOnce()
    {
        using var log = new ListLogger();
        var killSwitch = new KillSwitch(_world.State, _world.Time, log.CreateLogger<KillSwitch>());

        (await killSwitch.ReleaseAsync("ada", "too early", stop: null, CancellationToken.None)).Engaged.ShouldBeFalse();
        await killSwitch.EngageAsync("ada", "hands off", CancellationToken.None);
        (await killSwitch.EngageAsync("ada", "hands off", CancellationToken.None)).Engaged.ShouldBeTrue();
        await killSwitch.ReleaseAsync("ada", "understood", stop: null, CancellationToken.None);
        await killSwitch.ReleaseAsync("ada", "understood", stop: null, CancellationToken.None);

        (await killSwitch.ReadAsync(CancellationToken.None)).Changes.Select(change => (change.Engaged, change.By, change.Reason)).ShouldBe([(true, "ada", "hands off"), (false, "ada", "understood")]);
        log.Lines.ShouldBe(["Warning: The kill switch was engaged by ada: hands off", "Warning: The kill switch was released by ada: understood"]);
    }

    [Fact]
    public async Task WhatALaterVersionWrote_StaysWhenItIsTurned()
    {
        var later = new Dictionary<string, JsonElement> { ["colour"] = JsonSerializer.SerializeToElement("red") };
        var killSwitch = _world.Get<KillSwitch>();
        await killSwitch.EngageAsync("ada", "hands off", CancellationToken.None);
        await _world.State.ChangeAsync<KillSwitchState>("safety:kill-switch", known => known! with { Later = later }, CancellationToken.None);

        await killSwitch.ReleaseAsync("ada", "understood", stop: null, CancellationToken.None);

        (await killSwitch.ReadAsync(CancellationToken.None)).Later.ShouldNotBeNull().Keys.ShouldBe(["colour"]);
    }

    [Fact]
    public async Task StoppedByTwo_NamesBothAndIsReleasedOnlyByWhoeverKnowsOfBoth()
    {
        var killSwitch = _world.Get<KillSwitch>();
        var first = (await killSwitch.EngageAsync("ada", "it restarts the wrong pods", CancellationToken.None)).Changes[^1].At;
        _world.Time.Advance(TimeSpan.FromSeconds(4));
        var both = await killSwitch.EngageAsync("bob", "the database is being restored", CancellationToken.None);

        both.Describe()!.ShouldMatch(@"^The kill switch is on: ada stopped all steps at .+\. it restarts the wrong pods\. bob did so too at .+\. the database is being restored\.$");
        (await killSwitch.ReleaseAsync("ada", "the file is repaired", $"{first:O}", CancellationToken.None)).Changes.Count.ShouldBe(2);
        (await killSwitch.ReleaseAsync("ada", "the file is repaired", "nonsense", CancellationToken.None)).Engaged.ShouldBeTrue();
        (await killSwitch.ReleaseAsync("ada", "bob is done too", $"{both.Changes[^1].At:O}", CancellationToken.None)).Engaged.ShouldBeFalse();
    }

    [Fact]
    public async Task StoppedByMany_NamesTheFirstAndTheLatest()
    {
        var killSwitch = _world.Get<KillSwitch>();
        for (var i = 1; i <= 6; i++)
        {
            await killSwitch.EngageAsync($"p{i}", $"reason {i}", CancellationToken.None);
        }

        var words = (await killSwitch.ReadAsync(CancellationToken.None)).Describe()!;
        words.ShouldContain("reason 1. 2 more did so too. p4 did so too");
        words.ShouldEndWith("reason 6.");
        await killSwitch.ReleaseAsync("ada", "all of it is over", stop: null, CancellationToken.None);
        (await killSwitch.EngageAsync("eve", "again", CancellationToken.None)).Describe()!.ShouldNotContain("reason");
    }

    [Fact]
    public async Task LatestHundredChanges_AreKept()
    {
        for (var i = 0; i < 51; i++)
        {
            await EngageKillSwitchAsync();
            await ReleaseKillSwitchAsync();
        }

        (await _world.Get<KillSwitch>().ReadAsync(CancellationToken.None)).Changes.Count.ShouldBe(100);
    }

    [Fact]
    public async Task KillSwitchAndAWindow_AreNamedEach()
    {
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 23, 2, 0, 0), Duration = "2h" });
        await EngageKillSwitchAsync();

        var violations = await _world.Get<GuardrailEvaluator>().EvaluateAsync(new(Given.Incident(s_asks), s_asks, Phase.Mitigation, AboutToRun: true), CancellationToken.None);

        violations.Select(violation => violation.Guardrail).Order().ShouldBe(["killSwitch", "window"]);
    }

    [Fact]
    public async Task ApprovingWhileTheKillSwitchIsOn_LeavesTheQuestionOpenAndIsTakenAfterTheRelease()
    {
        var opened = await OpenAsync(s_asks);
        await EngageKillSwitchAsync();

        var (held, result) = await ApproveAsync(opened.Id);

        result.Status.ShouldBe(DecisionStatus.HeldBack);
        result.Message.ShouldContain(Trouble);
        held!.State.ShouldBe(IncidentState.AwaitingApproval);
        held!.OpenGate!.Decisions.ShouldBeEmpty();
        held.Timeline[^1].What.ShouldContain("wanted to approve; it was not taken");
        _world.Script.Deeds.ShouldBeEmpty();

        await ReleaseKillSwitchAsync();
        (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.Decided);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task SelfHealingWhileTheKillSwitchIsOn_AsksAndRunsOnceItIsReleasedAndAPersonSaysYes()
    {
        await EngageKillSwitchAsync();

        var opened = await OpenAsync(s_heals);

        opened.State.ShouldBe(IncidentState.AwaitingApproval);
        opened.OpenGate!.Approvers.ShouldBe([ContactBook.Fallback]);
        opened.OpenGate!.AllWarnings.ShouldHaveSingleItem().ShouldContain(Trouble);
        (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.HeldBack);

        await ReleaseKillSwitchAsync();
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.AwaitingApproval, "nothing runs by surprise");
        (await ApproveAsync(opened.Id)).Result.Status.ShouldBe(DecisionStatus.Decided);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.Resolved);
    }

    /// <summary>What nobody lifts is not asked about, whatever else stands against it.</summary>
    [Fact]
    public async Task LimitThatForbidsWhileTheKillSwitchIsOn_EndsIt()
    {
        var runbook = s_asks with { Limits = new() { MaxRuns = 1, WhenExceeded = WhenExceeded.Forbid } };
        await _world.Get<RunLimits>().ReserveAsync(Given.Incident(runbook, "261123-0259-bbbbbb"), runbook, overruled: false, CancellationToken.None);
        await EngageKillSwitchAsync();

        (await OpenAsync(runbook)).State.ShouldBe(IncidentState.Failed);
    }

    [Fact]
    public async Task KillSwitchAfterTheApproval_HoldsTheNextStepAndGoesOnAfterTheRelease()
    {
        var runbook = s_asks with { Mitigation = s_asks.Mitigation with { Steps = [Given.Step("one"), Given.Step("two")] } };
        var opened = await OpenAsync(runbook);
        _world.Script.OnDone = _ =>
        {
            if (_world.Script.Count("do two") == 0)
            {
                EngageKillSwitchAsync().GetAwaiter().GetResult();
            }
            else
            {
                _world.Script.Verdicts["stuck"] = Verdict.Passing;
            }
        };
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));

        held.State.ShouldBe(IncidentState.Mitigating);
        held.Reason!.ShouldStartWith("two waits: The kill switch is on");
        held.Timeline.Count(line => line.Kind == TimelineKind.Safety).ShouldBe(1);
        _world.Script.Deeds.ShouldBe(["do one"]);

        await ReleaseKillSwitchAsync();
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do one", "do two"]);
    }

    [Fact]
    public async Task KillSwitchWhileTheChecksAreAskedOnceMoreBeforeTheStep_HoldsTheStep()
    {
        var opened = await OpenAsync(s_asks);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));
        _world.Script.OnAsk = _ => EngageKillSwitchAsync().GetAwaiter().GetResult();

        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        var held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));

        held.Reason!.ShouldContain(" waits: The kill switch is on");
        _world.Script.Deeds.ShouldBeEmpty();

        _world.Script.OnAsk = _ => { };
        await ReleaseKillSwitchAsync();
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10))).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task RejectingWhileTheKillSwitchIsOn_IsTaken()
    {
        var opened = await OpenAsync(s_asks);
        await EngageKillSwitchAsync();

        (await _world.DecideAsync(opened.Id, DecisionVerb.Reject)).Incident.State.ShouldBe(IncidentState.Rejected);
    }

    [Fact]
    public async Task AlertWhileTheKillSwitchIsOn_IsAskedAboutAllTheSame()
    {
        await EngageKillSwitchAsync();

        var opened = await OpenAsync(s_asks);

        opened.State.ShouldBe(IncidentState.AwaitingApproval);
        opened.OpenGate!.AllWarnings.ShouldHaveSingleItem().ShouldStartWith("When this was last looked at, nothing could run, and no yes is taken while that lasts: The kill switch is on");
    }

    /// <summary>Whoever is reminded, or woken for it, is told that a yes changes nothing now, and no longer once one would.</summary>
    [Fact]
    public async Task KillSwitchWhileItIsAsked_IsToldWithEachAskingAndNoLongerThanItIsOn()
    {
        var opened = await OpenAsync(s_asks with { Mitigation = s_asks.Mitigation with { Approval = s_asks.Mitigation.Approval! with { Timeout = TimeSpan.FromHours(2), RemindAfter = TimeSpan.FromMinutes(20) } } });
        Told().ShouldBeEmpty();

        await EngageKillSwitchAsync();
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(25));
        Told().ShouldHaveSingleItem().ShouldStartWith("When this was last looked at, nothing could run, and no yes is taken while that lasts: The kill switch is on");

        await ReleaseKillSwitchAsync();
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(20));
        Told().ShouldBeEmpty();

        IEnumerable<string> Told() => _world.Notifier.Sent.Last(sent => sent.Card.GateId is not null).Card.Sections.Where(section => section.Heading == "Warning").SelectMany(section => section.Lines);
    }
}
