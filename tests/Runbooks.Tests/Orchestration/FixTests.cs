using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>What happens between a yes and the end: steps, verification, undo.</summary>
public sealed class FixTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new() };
    private readonly IncidentWorld _world = new();

    [Fact]
    public async Task FixThatDoesNotHelp_IsUndoneInReverseAndPaged()
    {
        var runbook = s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [Given.Step("one"), Given.Step("two")] } };
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
    public async Task ReportTo_IsToldWhatHappenedWhoeverWasAsked()
    {
        var opened = await _world.OpenAsync(s_runbook with { ReportTo = ["quality"] });
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        var report = _world.Notifier.Sent.Where(sent => sent.To == "quality").ShouldHaveSingleItem().Card;
        report.Title.ShouldStartWith("Report: ");
        report.Title.ShouldEndWith("(Resolved)");
        report.Links[0].Url.ShouldEndWith($"/incidents/{opened.Id}/report");
        report.Sections.Single(section => section.Heading == "Times").Lines[0].ShouldStartWith("Opened: ");
        report.Sections.Single(section => section.Heading.StartsWith("What the checks said last, at ", StringComparison.Ordinal)).Lines.ShouldHaveSingleItem().ShouldStartWith("✓");
        report.Sections.Single(section => section.Heading == "Who was asked, and what was done").Lines.Count.ShouldBe(2);
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
        var runbook = s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [Given.Step("rotate", "script.once")] } };
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

    /// <summary>Two outages were approved together: what the first one did is what the second was approved to do, and no work of the second.</summary>
    [Fact]
    public async Task AnotherIncidentHasMadeItSoMeanwhile_TheApprovalHoldsAndTheFixIsNotCreditedToThisOne()
    {
        var opened = await _world.OpenAsync(s_runbook);
        (_world.Script.Identities["fix"], _world.Script.IsSo, _world.Script.Verdicts["stuck"]) = ("on", _ => true, Verdict.Passing);

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        (incident.State, EndingText.Headline(incident)).ShouldBe((IncidentState.Resolved, "Done, nothing changed"));
        incident.Reason.ShouldNotBeNull().ShouldStartWith("Things were already as the mitigation makes them, so it changed nothing. stuck passed");
        RunAssessment.Of(incident)!.Outcome.ShouldBe(RunOutcome.Unverified);
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
        var rehearsed = await _world.OpenAsync(dry, Given.Incident(dry, "261123-0300-bbbbbb"));
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
        var runbook = Given.Runbook() with { Resolution = new() { Approval = Given.Approval() with { Ask = "Close it for good?" }, Steps = [Given.Step("ticket")] } };
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
            Mitigation = s_runbook.Mitigation with { Steps = [Given.Step("one"), Given.Step("two", with: new { name = "two", text = "{{ steps.one.result }}" })] },
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
