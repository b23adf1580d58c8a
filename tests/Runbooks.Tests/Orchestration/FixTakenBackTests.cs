using Runbooks.Catalog.Steps;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>A temporary fix is taken back by itself, by a person or by a stop.</summary>
public sealed class FixTakenBackTests : LeaseWorld
{
    [Fact]
    public async Task FixThatSomebodyElseHasChangedSince_IsLeftAloneAndAPersonIsTold()
    {
        var holding = await HoldAsync();
        var tried = 0;
        _world.Script.BeforeUndoing = _ => new Catalog.Steps.ChangedSinceException($"Left it at 9 pods: somebody else has scaled it since, try {++tried}");
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var incident = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(30));

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.LeftAlone);
        EndingText.Headline(incident).ShouldBe("Failed, not taken back");
        incident.Reason.ShouldBe("The cause is gone, but the temporary fix was not taken back: it was left alone, and the step says why. NOT undone, and left alone: fix (Left it at 9 pods: somebody else has scaled it since, try 1).");
        NextStepText.Of(incident, _world.Time.GetUtcNow()).ShouldContain("Look whether it may stay so");
        ChangeText.InPlace(incident).ShouldBeEmpty();
        _world.Notifier.To(CardKind.Page).ShouldNotBeEmpty();
        RunAssessment.Of(incident)!.Outcome.ShouldBe(RunOutcome.Verified, "the fix had worked");
    }

    [Fact]
    public async Task FixThatAnotherIncidentHolds_IsNotSaidToBeTakenBack()
    {
        var holding = await HoldAsync();
        _world.Script.OnUndone = _ => new ActionResult("The flag stays as it is: incident b holds it too.") { HandedOn = true };
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var incident = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(30));

        (incident.State, incident.Steps.ShouldHaveSingleItem().Status, EndingText.Headline(incident)).ShouldBe((IncidentState.Resolved, StepStatus.HandedOn, "Recovered, fix handed on"));
        incident.Reason.ShouldBe("The cause is gone. The flag stays as it is: incident b holds it too.");
        ChangeText.InPlace(incident).ShouldBeEmpty("the other one lists it");
        incident.NeedsPerson.ShouldBeFalse();
        RunAssessment.Of(incident)!.Outcome.ShouldBe(RunOutcome.Verified, "the fix had worked");
    }

    /// <summary>Also one that the runbook means to keep: what was so before is nobody's to change back.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FixThatHadBeenInPlaceBefore_IsNotSaidToBeTakenBack(bool keeps)
    {
        _world.Script.Keeps = _ => keeps;
        var holding = await HoldAsync();
        _world.Script.OnUndone = _ => new ActionResult("The flag was left as it is: this step had not changed it.") { FoundSo = true };
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var incident = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(30));

        (incident.State, incident.Steps.ShouldHaveSingleItem().Status, EndingText.Headline(incident)).ShouldBe((IncidentState.Resolved, StepStatus.AsBefore, "Recovered, nothing changed"));
        incident.Reason.ShouldBe("The cause is gone. The flag was left as it is: this step had not changed it.");
        ChangeText.InPlace(incident).ShouldBeEmpty("nobody has to take it back");
        incident.NeedsPerson.ShouldBeFalse();
    }

    /// <summary>A person took an hour over what they take back by hand, and meanwhile the provider has failed again.</summary>
    [Theory]
    [InlineData(Verdict.Failing)]
    [InlineData(Verdict.Unknown)]
    [InlineData(Verdict.Passing)]
    public async Task CauseThatIsBackWhenAPersonHasTakenBackTheirs_TheRestIsHeldOn(Verdict later)
    {
        var lease = new Hold(["full"], TimeSpan.FromMinutes(5), TimeSpan.FromHours(9), TimeSpan.FromSeconds(30));
        var runbook = ManualStepTests.Runbook(new { instruction = "Tell the partners.", who = (string[])["hands"], undo = "Tell them that it is over." });
        var opened = await _world.OpenAsync(runbook with { Mitigation = runbook.Mitigation with { HoldUntil = lease }, Resolution = new() });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        _world.Script.Verdicts["stuck"] = Verdict.Passing;
        (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Holding);
        _world.Script.Verdicts["full"] = Verdict.Passing;
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(50))).OpenGate!.Task!.Undoes.ShouldBeTrue();
        _world.Script.Verdicts["full"] = later;

        var held = (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident;

        held.State.ShouldBe(later == Verdict.Passing ? IncidentState.Resolved : IncidentState.Holding);
        if (later != Verdict.Passing)
        {
            held.TakesFixBack.ShouldBeFalse();
            held = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(60));
            (held.State, held.FindStep(Phase.Mitigation, "swap")!.Status, _world.Script.Count("undo fix")).ShouldBe((IncidentState.Holding, StepStatus.Undone, 0));
            var page = _world.Notifier.Sent.Where(sent => sent.Card.Kind == CardKind.Page && sent.To == ContactBook.Fallback).ShouldHaveSingleItem().Card;
            page.Sections[0].Lines[0].ShouldMatch("^The temporary fix was to be taken back, but its cause does not count as gone any more: full: .*It is held on until it does.*Taken back already: swap: ");

            _world.Script.Verdicts["full"] = Verdict.Passing;
            (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(15))).State.ShouldBe(IncidentState.Resolved);
        }

        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    /// <summary>Half a fix is worse than none.</summary>
    [Fact]
    public async Task CauseThatIsBackOnceSomethingWasTakenBack_TheRestIsTakenBackToo()
    {
        var lease = new Hold(["full"], TimeSpan.FromMinutes(5), TimeSpan.FromHours(9), TimeSpan.FromSeconds(30));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease, Steps = [Given.Step("first"), Given.Step("second")] } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        _world.Script.BeforeUndoing = _ =>
        {
            _world.Time.Advance(TimeSpan.FromMinutes(4));
            _world.Script.Verdicts["full"] = Verdict.Failing;
            return null;
        };
        _world.Script.Verdicts["full"] = Verdict.Passing;

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(15))).State.ShouldBe(IncidentState.Resolved);

        _world.Script.Deeds.ShouldBe(["do first", "do second", "undo second", "undo first"]);
    }

    /// <summary>The host dies after it has recorded that the cause is back.</summary>
    [Fact]
    public async Task LookBeforeTakingBackIsTakenTwice_TheFixIsHeldOn()
    {
        var broken = true;
        await using var world = new IncidentWorld(new WorldHubOptions
        {
            Around = async (name, work) =>
            {
                if (name == nameof(Runbooks.Orchestration.UndoSteps))
                {
                    await (broken ? throw new IOException("away") : work());
                }

                return await work();
            },
        });
        var lease = new Hold(["full"], TimeSpan.FromMinutes(5), TimeSpan.FromHours(9), TimeSpan.FromSeconds(30));
        var opened = await world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        world.Script.OnDone = _ => world.Script.Verdicts["stuck"] = Verdict.Passing;
        await world.DecideAsync(opened.Id, DecisionVerb.Approve);
        world.Script.Verdicts["full"] = Verdict.Passing;
        await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(20));
        (broken, world.Script.Verdicts["full"]) = (false, Verdict.Failing);

        (await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30))).State.ShouldBe(IncidentState.Holding);

        world.Script.Deeds.ShouldBe(["do fix"]);
    }

    /// <summary>The service is away at that moment: a person is told once, and what they would do by hand is done as soon as it is back.</summary>
    [Theory]
    [InlineData(10, StepStatus.Undone, 1)]
    [InlineData(0.5, StepStatus.Undone, 0)]
    [InlineData(100, StepStatus.Undone, 1)]
    [InlineData(180, StepStatus.UndoFailed, 1)]
    public async Task ServiceThatIsAway_IsTriedForTwoHoursAndOnePersonIsTold(double minutes, StepStatus status, int told)
    {
        var holding = await HoldAsync();
        DateTimeOffset? back = null;
        _world.Script.BeforeUndoing = _ => _world.Time.GetUtcNow() < (back ??= _world.Time.GetUtcNow().AddMinutes(minutes)) ? new AttemptFailedException("App Configuration answered 503") : null;
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var later = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(10));
        if (told > 0)
        {
            later.State.IsFinal().ShouldBeFalse();
            later.Reason.ShouldNotBeNull().ShouldMatch("^fix is not taken back yet: App Configuration answered 503. It is tried again until [0-9:]+");
        }

        var ended = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(150));

        ended.Steps.ShouldHaveSingleItem().Status.ShouldBe(status);
        ended.State.ShouldBe(status == StepStatus.Undone ? IncidentState.Resolved : IncidentState.Failed);
        _world.Notifier.Sent.Count(sent => sent.Card.Kind == CardKind.Page && sent.To == ContactBook.Fallback && sent.Card.Sections[0].Lines[0].Contains("It is tried again until", StringComparison.Ordinal)).ShouldBe(told);
        _world.Notifier.Sent.Select(sent => sent.Card).Where(card => card.Kind == CardKind.Page && card.Sections[0].Lines[0].Contains("It is tried again until", StringComparison.Ordinal))
            .ShouldAllBe(card => card.Sections.Single(section => section.Heading == "What to do now").Lines[0].StartsWith("It is tried again until"));
        ended.Timeline.Count(line => line.What == "fix: App Configuration answered 503").ShouldBe(1, "however often it was tried");
    }

    /// <summary>What was accepted is looked at until the step's time is over. That passes like an outage.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public async Task UndoWhoseTimeRunsOut_IsTriedForTwoHours(int timeout)
    {
        var (minutes, lease) = (TimeSpan.FromMinutes(timeout), new Hold(["full"], TimeSpan.FromMinutes(5), TimeSpan.FromHours(2), TimeSpan.FromSeconds(30)));
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease, Steps = [Given.Step("fix") with { Timeout = minutes }] } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        DateTimeOffset? back = null;
        _world.Script.BeforeUndoing = _ =>
        {
            var now = _world.Time.GetUtcNow();
            if (now >= (back ??= now.AddMinutes(90)))
            {
                return null;
            }

            _world.Time.Advance(minutes);
            return new TimeoutException($"no answer within {timeout}m");
        };
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(3));

        (ended.State, ended.Steps.ShouldHaveSingleItem().Status).ShouldBe((IncidentState.Resolved, StepStatus.Undone));
        _world.Notifier.Sent.Count(sent => sent.Card.Kind == CardKind.Page && sent.To == ContactBook.Fallback && sent.Card.Sections[0].Lines[0].Contains("not taken back yet", StringComparison.Ordinal)).ShouldBe(1);
    }

    /// <summary>Another step goes first: nothing has failed, and nobody is called before that has lasted.</summary>
    [Theory]
    [InlineData(12, 0)]
    [InlineData(50, 1)]
    public async Task UndoThatWaitsForItsTurn_CallsSomebodyOnlyAfterHalfAnHour(int minutes, int told)
    {
        var holding = await HoldAsync();
        DateTimeOffset? free = null;
        _world.Script.BeforeUndoing = _ => _world.Time.GetUtcNow() < (free ??= _world.Time.GetUtcNow().AddMinutes(minutes)) ? new AttemptFailedException("Another step changes it") { IsBusy = true } : null;
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var ended = await _world.AdvanceAsync(holding.Id, TimeSpan.FromHours(1));

        ended.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.Undone);
        _world.Notifier.Sent.Count(sent => sent.Card.Kind == CardKind.Page && sent.To == ContactBook.Fallback && sent.Card.Sections[0].Lines[0].Contains("not taken back yet", StringComparison.Ordinal)).ShouldBe(told);
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
    public async Task LeaseTakenBackByAPerson_IsUndoneAtOnceAndSaysWho()
    {
        var holding = await HoldAsync();

        var receipt = await _world.Get<Runbooks.Approvals.IncidentVerbService>().TakeBackAsync(holding.Id, "ada", "the other region is slow too", CancellationToken.None);
        var incident = await _world.AdvanceAsync(holding.Id, TimeSpan.FromMinutes(1));

        receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
        incident.State.ShouldBe(IncidentState.Cancelled);
        incident.Reason.ShouldBe("ada asked for what was changed to be taken back: the other region is slow too. Undone: fix.");
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
        ChangeText.InPlace(incident).ShouldBeEmpty();
    }

    [Fact]
    public async Task FixTakenBackWhileTheResolutionIsAskedAbout_IsUndoneAsWasSaid()
    {
        var opened = await _world.OpenAsync(s_runbook with { Resolution = Given.Runbook().Resolution with { Approval = Given.Approval() } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var (asked, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        asked.OpenGate!.Phase.ShouldBe(Phase.Resolution);

        var receipt = await _world.Get<Runbooks.Approvals.IncidentVerbService>().TakeBackAsync(opened.Id, "ada", "it was the wrong pod", CancellationToken.None);
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
        incident.State.ShouldBe(IncidentState.Cancelled);
        incident.Reason.ShouldBe("The fix was verified, but the resolution did not run: ada asked for what was changed to be taken back: it was the wrong pod. Undone: fix.");
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task StoppedWhileTheResolutionIsAskedAbout_TheFixThatWorkedStays()
    {
        var opened = await _world.OpenAsync(s_runbook with { Resolution = Given.Runbook().Resolution with { Approval = Given.Approval() } });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        await _world.Get<Runbooks.Approvals.IncidentVerbService>().StopAsync(opened.Id, "ada", "enough", CancellationToken.None);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        _world.Script.Deeds.ShouldBe(["do fix"]);
    }

    [Fact]
    public async Task NothingChanged_CannotBeTakenBack()
    {
        var opened = await _world.OpenAsync(s_runbook);

        var receipt = await _world.Get<Runbooks.Approvals.IncidentVerbService>().TakeBackAsync(opened.Id, "ada", "x", CancellationToken.None);

        receipt.Result.Status.ShouldBe(DecisionStatus.NotAllowed);
        receipt.Incident!.Stop.ShouldBeNull();
    }
}
