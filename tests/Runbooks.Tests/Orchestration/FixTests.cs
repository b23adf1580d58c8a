using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>What happens between a yes and the end: steps, verification, undo, leases.</summary>
public sealed class FixTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Some.Runbook() with { Resolution = new() };
    private readonly IncidentWorld _world = new();

    [Fact]
    public async Task FixThatDoesNotHelp_IsUndoneInReverseAndPaged()
    {
        var runbook = s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [Some.Step("one"), Some.Step("two")] } };
        var opened = await _world.OpenAsync(runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(6));

        incident.State.ShouldBe(IncidentState.Failed);
        _world.Script.Deeds.ShouldBe(["do one", "do two", "undo two", "undo one"]);
        incident.Steps.ShouldAllBe(step => step.Status == StepStatus.Undone && step.UndoneFrom == StepStatus.Done);
        incident.Reason!.ShouldContain("did not help");
        _world.Notifier.To(CardKind.Page).ShouldBe(["oncall", ContactBook.Fallback], ignoreOrder: true);
    }

    [Fact]
    public async Task CheckThatCannotBeAnswered_DoesNotVerifyAFix()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Unknown;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(6));

        incident.State.ShouldBe(IncidentState.Failed);
    }

    [Fact]
    public async Task FixThatHelpsLater_IsVerifiedLater()
    {
        var opened = await _world.OpenAsync(s_runbook);
        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.State.ShouldBe(IncidentState.Verifying);

        _world.Script.Verdicts["stuck"] = Verdict.Passing;
        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(16));

        incident.State.ShouldBe(IncidentState.Resolved);
        incident.VerificationRounds.Select(look => (look.State, look.Verdicts["stuck"], look.Rounds))
            .ShouldBe([(IncidentState.Verifying, Verdict.Failing, 1), (IncidentState.Verifying, Verdict.Passing, 1)]);
        _world.Script.Count("do fix").ShouldBe(1);
    }

    [Fact]
    public async Task StepThatFailsTwice_IsTriedAgainAndCountsOnce()
    {
        var failures = 2;
        _world.Script.BeforeActing = _ => failures-- > 0 ? new IOException("reset by peer") : null;
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var opened = await _world.OpenAsync(s_runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        incident.State.ShouldBe(IncidentState.Resolved);
        incident.Steps.ShouldHaveSingleItem().Attempts.ShouldBe(3);
        _world.Script.Count("do fix").ShouldBe(1);
    }

    [Fact]
    public async Task StepThatKeepsFailing_FailsAndWhatItMayHaveDoneIsUndone()
    {
        _world.Script.AfterActing = _ => new IOException("reset by peer");
        var opened = await _world.OpenAsync(s_runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Reason!.ShouldContain("reset by peer");
        _world.Script.Count("do fix").ShouldBe(3);
        _world.Script.Count("undo fix").ShouldBe(1);
    }

    [Fact]
    public async Task UnrepeatableStepWhoseAnswerGotLost_IsNotRepeatedAndAPersonIsAsked()
    {
        var runbook = s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [Some.Step("rotate", "script.once")] } };
        _world.Script.AfterActing = _ => new IOException("reset by peer");
        var opened = await _world.OpenAsync(runbook);

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.Unknown);
        _world.Script.Count("do rotate").ShouldBe(1);
        _world.Notifier.To(CardKind.Page).ShouldContain(ContactBook.Fallback);
    }

    [Fact]
    public async Task TargetIsAnotherOneWhenTheStepRuns_NothingRunsAndPeopleAreAskedAgain()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.Identities["fix"] = "second";

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Id.ShouldBe("mitigation-2");
        incident.OpenGate.Difference!.ShouldContain("second");
        _world.Script.Deeds.ShouldBeEmpty();

        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task DryRun_GoesThroughEverythingAndTouchesNothing()
    {
        var opened = await _world.OpenAsync(s_runbook with { Mode = RunMode.DryRun });

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.Resolved);
        incident.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.DryRun);
        _world.Script.Deeds.ShouldBeEmpty();
        _world.Notifier.Sent.ShouldAllBe(sent => sent.Card.DryRun);
    }

    [Fact]
    public async Task DryRunOfWhatTheIdentityMayNotDo_EndsAsTheRealOneWould()
    {
        _world.Script.Lack = name => $"This identity may not {name} it. It lacks the role fixer.";
        var opened = await _world.OpenAsync(s_runbook with { Mode = RunMode.DryRun });

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Reason.ShouldNotBeNull().ShouldContain("lacks the role fixer");
        incident.Steps.ShouldBeEmpty();
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task PermissionOfTheIdentity_IsAskedOnlyWhenADryRunIsAboutToAct()
    {
        var asked = new List<string>();
        _world.Script.Lack = name =>
        {
            asked.Add(name);
            return null;
        };
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var real = await _world.OpenAsync(s_runbook);
        await _world.DecideAsync(real.Id, DecisionVerb.Approve);
        var dry = s_runbook with { Mode = RunMode.DryRun };
        _world.Script.Verdicts.Clear();
        var rehearsed = await _world.OpenAsync(dry, Some.Incident(dry, "261123-0300-bbbbbb"));
        asked.ShouldBeEmpty();

        await _world.DecideAsync(rehearsed.Id, DecisionVerb.Approve);

        asked.ShouldBe(["fix"]);
    }

    [Fact]
    public async Task SelfHealingRunbook_ActsWithoutAskingAndTellsAfterwards()
    {
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

        var incident = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = null } });

        incident.State.ShouldBe(IncidentState.Resolved);
        incident.Gates.ShouldHaveSingleItem().Outcome.ShouldBe(GateOutcome.Approved);
        _world.Notifier.Sent.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Closed);
    }

    [Fact]
    public async Task SelfHealingRunbookThatKnowsTooLittle_AsksAfterAll()
    {
        _world.Script.Verdicts["stuck"] = Verdict.Unknown;
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var incident = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = null } });

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();
    }

    [Fact]
    public async Task Lease_IsHeldUntilTheCauseHasBeenGoneForAWhileThenReverted()
    {
        var lease = new Hold(["full"], StableFor: TimeSpan.FromMinutes(5), AtMost: TimeSpan.FromHours(2), Every: TimeSpan.FromSeconds(30));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.State.ShouldBe(IncidentState.Holding);

        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(60));
        incident.State.ShouldBe(IncidentState.Holding);
        _world.Script.Count("undo fix").ShouldBe(0);

        _world.Script.Verdicts["full"] = Verdict.Passing;
        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(4));
        incident.State.ShouldBe(IncidentState.Holding);
        incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(8));

        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task LeaseThatLastsTooLong_PagesAndStays()
    {
        var lease = new Hold(["full"], TimeSpan.FromMinutes(5), AtMost: TimeSpan.FromHours(2), TimeSpan.FromSeconds(30));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(5));

        incident.State.ShouldBe(IncidentState.Holding);
        _world.Notifier.To(CardKind.Page).Count(to => to == ContactBook.Fallback).ShouldBe(1);
    }

    [Fact]
    public async Task StoppedWhileHolding_RevertsAndIsCancelled()
    {
        var lease = new Hold(["full"], TimeSpan.FromMinutes(5), TimeSpan.FromHours(2), TimeSpan.FromSeconds(30));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.StopAsync(opened.Id);

        incident.State.ShouldBe(IncidentState.Cancelled);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task LeaseThatBegins_IsToldToWhoeverApprovedOnce()
    {
        var incident = await HoldAsync();

        var told = _world.Notifier.Sent.Where(sent => sent.Card.Title.StartsWith("A temporary fix is in place", StringComparison.Ordinal)).ToList();
        told.ShouldHaveSingleItem().Card.Sections.ShouldContain(section => section.Lines.Any(line => line.Contains("taken back once full has passed for 5m without a break", StringComparison.Ordinal)));
        Lease.Of(incident, await _world.Get<Runbooks.Storage.PinnedRunbooks>().OfAsync(incident, CancellationToken.None)).ShouldNotBeNull().Held.ShouldHaveSingleItem().ShouldStartWith("fix: ");

        await _world.AdvanceAsync(incident.Id, TimeSpan.FromMinutes(60));
        _world.Notifier.Sent.Count(sent => sent.Card.Title.StartsWith("A temporary fix is in place", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task LeaseTakenBackByAPerson_IsUndoneAtOnceAndSaysWho()
    {
        var holding = await HoldAsync();

        var receipt = await _world.Get<Runbooks.Approvals.ApprovalService>().TakeBackAsync(holding.Id, "ada", "the other region is slow too", CancellationToken.None);
        var incident = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(1));

        receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
        incident.State.ShouldBe(IncidentState.Cancelled);
        incident.Reason.ShouldBe("ada had what was changed taken back: the other region is slow too. Undone: fix.");
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
        ChangeText.InPlace(incident).ShouldBeEmpty();
    }

    [Fact]
    public async Task FixTakenBackWhileTheResolutionIsAskedAbout_IsUndoneAsWasSaid()
    {
        var opened = await _world.OpenAsync(s_runbook with { Resolution = Some.Runbook().Resolution with { Approval = Some.Approval() } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var (asked, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        asked.OpenGate!.Phase.ShouldBe(Phase.Resolution);

        var receipt = await _world.Get<Runbooks.Approvals.ApprovalService>().TakeBackAsync(opened.Id, "ada", "it was the wrong pod", CancellationToken.None);
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
        incident.State.ShouldBe(IncidentState.Cancelled);
        incident.Reason.ShouldBe("The fix was verified, but the resolution did not run: ada had what was changed taken back: it was the wrong pod. Undone: fix.");
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task StoppedWhileTheResolutionIsAskedAbout_TheFixThatWorkedStays()
    {
        var opened = await _world.OpenAsync(s_runbook with { Resolution = Some.Runbook().Resolution with { Approval = Some.Approval() } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        await _world.Get<Runbooks.Approvals.ApprovalService>().StopAsync(opened.Id, "ada", "enough", CancellationToken.None);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        _world.Script.Deeds.ShouldBe(["do fix"]);
    }

    [Fact]
    public async Task LeaseThatNobodyCouldBeToldOf_IsToldOnceSomebodyIsReached()
    {
        _world.Notifier.Failure = _ => _world.Script.Deeds.IsEmpty ? null : new IOException("down");
        var holding = await HoldAsync();
        await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(12));
        IsTold().ShouldBeFalse();

        _world.Notifier.Failure = _ => null;
        var incident = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(12));

        IsTold().ShouldBeTrue(string.Join('\n', incident.Deliveries));
        incident.Deliveries.Count(delivery => delivery.Key.StartsWith("holding", StringComparison.Ordinal)).ShouldBeLessThan(8);

        bool IsTold() => _world.Notifier.Sent.Any(sent => sent.Card.Title.StartsWith("A temporary fix is in place", StringComparison.Ordinal));
    }

    [Fact]
    public async Task NothingChanged_CannotBeTakenBack()
    {
        var opened = await _world.OpenAsync(s_runbook);

        var receipt = await _world.Get<Runbooks.Approvals.ApprovalService>().TakeBackAsync(opened.Id, "ada", "x", CancellationToken.None);

        receipt.Result.Status.ShouldBe(DecisionStatus.NotAllowed);
        receipt.Incident!.Stop.ShouldBeNull();
    }

    private async Task<Incident> HoldAsync()
    {
        var lease = new Hold(["full"], TimeSpan.FromMinutes(5), TimeSpan.FromHours(2), TimeSpan.FromSeconds(30));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        return (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident;
    }

    [Fact]
    public async Task UndoThatFails_IsTriedAgain()
    {
        var failures = 1;
        _world.Script.BeforeUndoing = _ => failures-- > 0 ? new IOException("unreachable") : null;
        var opened = await _world.OpenAsync(s_runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.Undone);
    }

    [Fact]
    public async Task SecondApprovalOfAResolution_IsAskedOnItsOwnGate()
    {
        var runbook = Some.Runbook() with { Resolution = new() { Approval = Some.Approval() with { Ask = "Close it for good?" }, Steps = [Some.Step("ticket")] } };
        var opened = await _world.OpenAsync(runbook);
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.OpenGate!.Id.ShouldBe("resolution-1");
        _world.Script.Deeds.ShouldBe(["do fix"]);

        (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task OutputOfOneStep_ReachesTheNext()
    {
        var runbook = s_runbook with
        {
            Mitigation = s_runbook.Mitigation with { Steps = [Some.Step("one"), Some.Step("two", with: new { name = "two", text = "{{ steps.one.result }}" })] },
        };
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var opened = await _world.OpenAsync(runbook);
        opened.OpenGate!.Plan.Steps[1].Parameters.GetProperty("text").GetString().ShouldBe("{{ steps.one.result }}");

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        incident.State.ShouldBe(IncidentState.Resolved);
        incident.FindStep(Phase.Mitigation, "two")!.Preparation.PlannedEffect.ShouldBe("Do two with one-result.");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
