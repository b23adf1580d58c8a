using Runbooks.Approvals;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>A step that a person does: asked about like any other question, and gone on with once somebody says what became of it.</summary>
public sealed class ManualStepTests : IAsyncDisposable
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private readonly IncidentWorld _world = new();

    [Fact]
    public async Task StepOfAPerson_IsAskedInItsTurnAndItsDoneGoesOnRecord()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap the card of {{ labels.pod }}.", who = Hands }));

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        EndingText.Headline(incident).ShouldBe("Waiting for a person to do it");
        incident.OpenGate!.Question.ShouldBe("Swap the card of llm-b-0.");
        _world.Script.Deeds.ShouldBe(["do fix"]);
        incident.FindStep(Phase.Mitigation, "swap").ShouldBeNull("nobody has done anything yet");
        var card = _world.Notifier.Sent.Last();
        card.To.ShouldBe("hands");
        card.Card.Title.ShouldBe("Swap the card of llm-b-0.");
        card.Card.PlanHash.ShouldBeNull("a button could not say which items are done, or why not");

        Helps();
        await _world.AdvanceAsync(incident.Id, 12 * s_minute);
        incident = await SayAsync(incident.Id, DecisionVerb.Approve, "ana");

        incident.State.ShouldBe(IncidentState.Resolved);
        var step = incident.FindStep(Phase.Mitigation, "swap")!;
        (step.Status, step.Outcome).ShouldBe((StepStatus.Done, "ana did it at 03:12:00 UTC."));
        step.Outputs["by"].ShouldBe("ana");
        incident.Timeline.ShouldContain(line => line.Who == "ana" && line.What == "ana did this (by test).");
        Incident.FindBreak(incident.Id, incident.Timeline).ShouldBeNull();
    }

    [Fact]
    public async Task Checklist_IsTickedByWhoeverDidEachItemAndDoneWithTheLast()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands, checklist = (string[])["Power is off", "New card in slot {{ labels.pod }}"] }));
        Helps();

        (await AnswerAsync(incident.Id, new(DecisionVerb.Approve, "ana", "test"))).ShouldBe((DecisionStatus.Incomplete, "Say which items are done: 2 items of 2 are left. Nothing was recorded."));
        (await AnswerAsync(incident.Id, new(DecisionVerb.Approve, "ana", "test") { Items = [3] })).Status.ShouldBe(DecisionStatus.Incomplete);
        (await AnswerAsync(incident.Id, new(DecisionVerb.Approve, "ana", "test") { Items = [1, 1] })).ShouldBe((DecisionStatus.MoreNeeded, "It is on record. 1 item left: New card in slot llm-b-0."));
        (await AnswerAsync(incident.Id, new(DecisionVerb.Approve, "ben", "test") { Items = [1] })).Status.ShouldBe(DecisionStatus.AlreadyCounted);
        (await _world.SettleAsync(incident.Id)).State.ShouldBe(IncidentState.AwaitingApproval);
        incident = await SayAsync(incident.Id, DecisionVerb.Approve, "ben", items: [2]);

        incident.State.ShouldBe(IncidentState.Resolved);
        incident.Gates[^1].Task!.Items.Select(item => item.DoneBy).ShouldBe(["ana", "ben"]);
        incident.FindStep(Phase.Mitigation, "swap")!.Outcome.ShouldBe("ana and ben did it at 03:00:00 UTC.");
    }

    [Theory]
    [InlineData("ana", true)]
    [InlineData("ben", false)]
    public async Task EveryItemThatIsLeft_SentAgainCountsAsTheSameOfThisPersonAlone(string who, bool repeated)
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands, checklist = (string[])["Power is off", "New card"] }));
        Helps();
        incident = await SayAsync(incident.Id, DecisionVerb.Approve, "ana", items: [1, 2]);

        foreach (var left in (int[]?[])[null, [2]])
        {
            // The first answer was lost on its way, and by now nothing is left to name, or less.
            var receipt = await _world.Get<ApprovalService>().DecideAsync(incident.Id, incident.LatestGate!.Id, new(DecisionVerb.Approve, who, "test") { Items = left }, CancellationToken.None);

            (receipt.Result.Status, receipt.IsRepeated).ShouldBe((DecisionStatus.AlreadyClosed, repeated));
        }
    }

    [Fact]
    public async Task CouldNot_NeedsAReasonAndEndsAsAFailedStepDoes()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands }));

        (await AnswerAsync(incident.Id, new(DecisionVerb.Reject, "ana", "test"))).Status.ShouldBe(DecisionStatus.Incomplete);
        incident = await SayAsync(incident.Id, DecisionVerb.Reject, "ana", "no spare card");

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Reason.ShouldBe("Step 'swap': ana could not do it at 03:00:00 UTC: no spare card. Undone: fix.");
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task TakenOver_LeavesWhatWasDoneBefore()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands }));

        incident = await SayAsync(incident.Id, DecisionVerb.TakeOver, "ana");

        incident.State.ShouldBe(IncidentState.TakenOver);
        _world.Script.Deeds.ShouldBe(["do fix"]);
    }

    [Fact]
    public async Task CouldNotDoTheRest_KeepsWhatIsTickedAndHasItTakenBack()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands, checklist = (string[])["Power is off", "New card"], undo = "Switch it on." }));

        incident = await SayAsync(incident.Id, DecisionVerb.Reject, "ana", "no spare card", items: [1]);

        incident.FindStep(Phase.Mitigation, "swap")!.Outcome.ShouldBe("ana could not do it at 03:00:00 UTC: no spare card. Done before: Power is off (ana).");
        incident.OpenGate!.Question.ShouldBe("Take back what was done by hand: Switch it on.");
        EndingText.Headline(incident).ShouldBe("Waiting for a person to take it back");
        incident.Timeline.ShouldContain(line => line.Who == "ana" && line.What == "ana ticked (by test): Power is off; and could not do this: no spare card");
    }

    [Fact]
    public async Task Unanswered_RemindsEscalatesAndEndsAsEveryUnansweredQuestion()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands, checklist = (string[])["Power is off", "New card"], remindAfter = "20m", escalate = (object[])[new { after = "30m", to = (string[])["boss"] }] }));
        await SayAsync(incident.Id, DecisionVerb.Approve, "ana", items: [1]);

        incident = await _world.AdvanceAsync(incident.Id, 61 * s_minute);

        _world.Notifier.Sent.Count(message => message.Card.GateId == "mitigation-swap" && message.To == "hands").ShouldBeGreaterThan(2);
        _world.Notifier.Sent.ShouldContain(message => message.Card.GateId == "mitigation-swap" && message.To == "boss");
        incident.State.ShouldBe(IncidentState.Expired);
        incident.FindStep(Phase.Mitigation, "swap")!.Outcome.ShouldBe("Nobody said in time whether it was done. Done before: Power is off (ana).");
        incident.Reason.ShouldBe("Not all of it was said to be done in time. Undone: fix. Nobody knows whether swap happened.");
    }

    [Fact]
    public async Task FixThatDidNotHelp_IsTakenBackByThePersonInItsTurn()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands, undo = "Put the old card of {{ labels.pod }} back." }));
        await SayAsync(incident.Id, DecisionVerb.Approve, "ana");

        incident = await _world.AdvanceAsync(incident.Id, 6 * s_minute);
        incident.OpenGate!.Question.ShouldBe("Take back what was done by hand: Put the old card of llm-b-0 back.");
        incident.OpenGate.Task!.Undoes.ShouldBeTrue();

        // What was done last is taken back first.
        _world.Script.Deeds.ShouldBe(["do fix"]);

        // Stopping it does not withdraw what is still to be taken back.
        await _world.Get<IncidentVerbService>().StopAsync(incident.Id, "ben", "enough", CancellationToken.None);
        incident = await SayAsync(incident.Id, DecisionVerb.Approve, "ana");

        incident.State.ShouldBe(IncidentState.Failed);
        incident.FindStep(Phase.Mitigation, "swap")!.Status.ShouldBe(StepStatus.Undone);
        incident.Reason!.ShouldEndWith("Undone: fix, swap.");
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task TakingBackThatNobodyConfirms_IsSaidAndKeepsTheOthersFromNothing()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands, undo = "Put it back." }));
        await SayAsync(incident.Id, DecisionVerb.Approve, "ana");

        incident = await _world.AdvanceAsync(incident.Id, 80 * s_minute);

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Reason!.ShouldContain("Not known to be undone: swap (Nobody said in time whether it was taken back.).");
        incident.Timeline.Count(line => line.Kind == TimelineKind.Undo && line.What.StartsWith("swap", StringComparison.Ordinal)).ShouldBe(1);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Theory]
    [InlineData(Phase.Mitigation)]
    [InlineData(Phase.Resolution)]
    public async Task StepOfThreeDays_WokenOftenHasABoundedHistoryAndIsDoneInTheEnd(Phase phase)
    {
        var runbook = Runbook(new { instruction = "Swap it.", who = Hands });
        var swap = runbook.Mitigation.Steps[1] with { Timeout = TimeSpan.FromDays(3) };
        runbook = phase == Phase.Mitigation
            ? runbook with { Mitigation = runbook.Mitigation with { Steps = [runbook.Mitigation.Steps[0], swap] } }
            : runbook with { Mitigation = runbook.Mitigation with { Steps = [runbook.Mitigation.Steps[0]] }, Resolution = new() { Steps = [swap, .. runbook.Resolution.Steps] } };
        var asked = await _world.OpenAsync(runbook);
        Helps();
        var incident = (await _world.DecideAsync(asked.Id, DecisionVerb.Approve)).Incident;
        incident.OpenGate!.Phase.ShouldBe(phase);
        for (var minute = 0; minute < 120; minute++)
        {
            await _world.Engine.RaiseAsync(incident.Id, (await _world.AdvanceAsync(incident.Id, s_minute)).WakeEvent!);
        }

        incident = await _world.AdvanceAsync(incident.Id, TimeSpan.FromHours(60));
        (await _world.Engine.HistoryAsync(incident.Id)).Count.ShouldBeLessThan(700);
        incident = await SayAsync(incident.Id, DecisionVerb.Approve, "ana");

        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "do ticket"]);
        incident.Gates.Count.ShouldBe(2);
    }

    [Fact]
    public async Task PeopleDoAllOfIt_NobodyIsAskedBefore()
    {
        var runbook = Runbook(new { instruction = "Swap it.", who = Hands });
        runbook = runbook with { Mitigation = runbook.Mitigation with { Approval = null, Steps = [runbook.Mitigation.Steps[1]] }, Resolution = new() };

        (await _world.OpenAsync(runbook)).Gates[0].ClosedBy.ShouldBe("Its steps are done by people, who are asked for each; nobody had to be asked before.");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AlertThatIsOver_WithdrawsOnlyWhatNobodyHasBegun(bool begun)
    {
        var runbook = Runbook(new { instruction = "Swap it.", who = Hands, checklist = (string[])["Power is off", "New card"] });
        runbook = runbook with { Mitigation = runbook.Mitigation with { Approval = null, Steps = [runbook.Mitigation.Steps[1]] } };
        var incident = await _world.OpenAsync(runbook);
        incident.OpenGate!.Id.ShouldBe("mitigation-swap");
        incident.Gates[0].ClosedBy.ShouldBe("This runbook heals by itself; nobody had to be asked.");
        if (begun)
        {
            await SayAsync(incident.Id, DecisionVerb.Approve, "ana", items: [1]);
        }

        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
        incident = await _world.ResolveAlertAsync(incident.Id);

        incident.State.ShouldBe(begun ? IncidentState.AwaitingApproval : IncidentState.SelfRecovered);
        incident.Steps.ShouldBeEmpty();
    }

    [Fact]
    public async Task Stopped_AsksNoMoreAndSaysThatNobodyKnows()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands }));

        await _world.Get<IncidentVerbService>().StopAsync(incident.Id, "ben", "wrong alarm", CancellationToken.None);
        incident = await _world.SettleAsync(incident.Id);

        incident.State.ShouldBe(IncidentState.Cancelled);
        incident.Reason!.ShouldEndWith("Undone: fix. Nobody knows whether swap happened.");
    }

    [Fact]
    public async Task DryRun_AsksNobodyToDoAnything()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands }) with { Mode = RunMode.DryRun });

        incident = await _world.AdvanceAsync(incident.Id, s_minute);

        incident.FindStep(Phase.Mitigation, "swap")!.Outcome.ShouldBe("Dry run, nothing was touched. Would: A person does this (hands): Swap it.");
        incident.Gates.Count.ShouldBe(1);
    }

    [Fact]
    public async Task KillSwitch_DoesNotKeepPeopleFromSayingWhatTheyDid()
    {
        var incident = await ApprovedAsync(Runbook(new { instruction = "Swap it.", who = Hands }));
        await _world.Get<KillSwitch>().EngageAsync("ben", "trouble", CancellationToken.None);

        (await AnswerAsync(incident.Id, new(DecisionVerb.Approve, "ana", "test"))).Status.ShouldBe(DecisionStatus.Decided);
        (await _world.SettleAsync(incident.Id)).FindStep(Phase.Mitigation, "swap")!.Status.ShouldBe(StepStatus.Done);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static string[] Hands => ["hands"];

    /// <summary>A step of ours, then one of a person.</summary>
    internal static Runbook Runbook(object byHand) => Given.Runbook() is var runbook
        ? runbook with { Mitigation = runbook.Mitigation with { Steps = [Given.Step("fix"), Given.Step("swap", "person", byHand) with { Timeout = TimeSpan.FromHours(1) }] } }
        : runbook;

    private async Task<Incident> ApprovedAsync(Runbook runbook) => (await _world.DecideAsync((await _world.OpenAsync(runbook)).Id, DecisionVerb.Approve)).Incident;

    private void Helps() => _world.Script.Verdicts["stuck"] = Verdict.Passing;

    private async Task<(DecisionStatus Status, string Message)> AnswerAsync(string id, DecisionRequest request)
    {
        var result = (await _world.Get<ApprovalService>().DecideAsync(id, (await _world.Store.GetAsync(id, CancellationToken.None)).LatestGate?.Id, request, CancellationToken.None)).Result;
        return (result.Status, result.Message);
    }

    private async Task<Incident> SayAsync(string id, DecisionVerb verb, string who, string? reason = null, IReadOnlyList<int>? items = null)
    {
        var (status, message) = await AnswerAsync(id, new DecisionRequest(verb, who, "test", reason) { Items = items });
        (status is DecisionStatus.Decided or DecisionStatus.MoreNeeded).ShouldBeTrue(message);
        return await _world.SettleAsync(id);
    }
}
