using Microsoft.Extensions.DependencyInjection;
using Runbooks.Approvals;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using TestKit.Incidents;
using People = Runbooks.Tests.Notifications.People;

namespace Runbooks.Tests.Approvals;

/// <summary>The rules of approval in whole incidents: who decides, how many, and what happens after.</summary>
public sealed partial class ApprovalStoryTests : IAsyncDisposable
{
    private readonly IncidentWorld _world = new(configure: services => services.AddSingleton(People.Book));

    public ApprovalStoryTests() => _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;

    [Fact]
    public async Task TwoAreRequired_TheSecondPersonLetsItRunAndNotTheSecondClick()
    {
        var opened = await _world.OpenAsync(Asking(approval => approval with { Required = 2 }));

        (await DecideAsync(opened.Id, "ada")).ShouldBe(DecisionStatus.MoreNeeded);
        (await DecideAsync(opened.Id, "ada@example.com")).ShouldBe(DecisionStatus.AlreadyCounted);
        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();

        (await DecideAsync(opened.Id, "grace")).ShouldBe(DecisionStatus.Decided);
        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task ApproverIsRemovedBeforeTheSecondYes_CountsNoLonger()
    {
        var opened = await _world.OpenAsync(Asking(approval => approval with { Required = 2, From = ["team"] }));
        _world.Get<CurrentContacts>().Replace(Team("ada", "grace", "ana"));
        (await DecideAsync(opened.Id, "ada")).ShouldBe(DecisionStatus.MoreNeeded);
        _world.Get<CurrentContacts>().Replace(Team("grace", "ana"));

        (await DecideAsync(opened.Id, "grace")).ShouldBe(DecisionStatus.MoreNeeded);
        var incident = await _world.SettleAsync(opened.Id);
        incident.OpenGate!.Decisions.ShouldHaveSingleItem().Person.ShouldBe("grace");
        incident.Timeline.ShouldContain(line => line.What == "ada approved, and may not decide any more: that does not count.");
        _world.Script.Deeds.ShouldBeEmpty();

        (await DecideAsync(opened.Id, "ana")).ShouldBe(DecisionStatus.Decided);
        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.Resolved);
    }

    [Theory]
    [InlineData("ada")]
    [InlineData("ops-room")]
    public async Task ApproverIsRemovedBeforeTheFirstStep_IsAskedAnew(string approver)
    {
        _world.Get<CurrentContacts>().Replace(new([new Contact("team", [OnTest("ada"), OnTest("grace"), People.Room])]));
        var opened = await _world.OpenAsync(Asking(approval => approval with { From = ["team"] }));
        await _world.Store.UpdateAsync(opened.Id, i => i.Decide("mitigation-1", new Decision(DecisionVerb.Approve, approver, "link", _world.Time.GetUtcNow())), TestContext.Current.CancellationToken);
        await _world.Get<KillSwitch>().EngageAsync("grace", "hands off", TestContext.Current.CancellationToken);
        await _world.Engine.RaiseAsync(opened.Id, opened.WakeEvent!);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));
        _world.Get<CurrentContacts>().Replace(Team("grace"));
        await _world.Get<KillSwitch>().ReleaseAsync("grace", "go on", stop: null, TestContext.Current.CancellationToken);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));

        _world.Script.Deeds.ShouldBeEmpty();
        incident.OpenGate!.Difference.ShouldBe($"{approver} approved, and may not decide any more: that does not count.");
        (await DecideAsync(opened.Id, "grace")).ShouldBe(DecisionStatus.Decided);
        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.Resolved);
    }

    /// <summary>It proves nobody in particular, and that is enough where people are not counted: also when the first step is about to act.</summary>
    [Fact]
    public async Task YesByTheLinkOfARoom_Runs()
    {
        var opened = await _world.OpenAsync(Asking(approval => approval with { From = ["room"] }));

        await _world.Get<ApprovalService>().DecideAsync(opened.Id, "mitigation-1", new(DecisionVerb.Approve, "ops-room", "link") { LinkOf = "ops-room" }, TestContext.Current.CancellationToken);

        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "do ticket"]);
    }

    private static ContactBook Teams(params string[] owners) => new(
    [
        new Contact("oncall", [.. new[] { "ada", "grace", "ana" }.Select(OnTest)]),
        new Contact("owners", [.. owners.Select(OnTest)]),
    ]);

    private static Recipient OnTest(string name) => new(name, [new Address("test", name, name)]);

    private Task<Incident> OpenForOwnersAsync(int required)
    {
        _world.Get<CurrentContacts>().Replace(Teams("ada", "ana"));
        return _world.OpenAsync(Asking(approval => approval with { Required = required, OwnerRequired = true, From = ["oncall", "owners"] }) with { Owner = "owners" });
    }

    [Fact]
    public async Task ApproverLeavesTheOwnersTeamBeforeTheSecondYes_SomebodyElseOfItHasToApprove()
    {
        var opened = await OpenForOwnersAsync(required: 2);
        (await DecideAsync(opened.Id, "ada")).ShouldBe(DecisionStatus.MoreNeeded);
        _world.Get<CurrentContacts>().Replace(Teams("ana"));

        (await DecideAsync(opened.Id, "grace")).ShouldBe(DecisionStatus.MoreNeeded);

        var incident = await _world.SettleAsync(opened.Id);
        incident.OpenGate!.Decisions.Select(decision => (decision.Person, decision.OfOwner)).ShouldBe([("ada", false), ("grace", false)]);
        incident.Timeline.ShouldContain(line => line.What == "ada approved, but is no longer in owners, and somebody from owners has to approve.");
        (await DecideAsync(opened.Id, "ana")).ShouldBe(DecisionStatus.Decided);
        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task ApproverLeavesTheOwnersTeamBeforeTheFirstStep_IsAskedAnew()
    {
        var opened = await OpenForOwnersAsync(required: 1);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));
        _world.Script.OnAsk = _ => _world.Get<CurrentContacts>().Replace(Teams("ana"));

        (await DecideAsync(opened.Id, "ada")).ShouldBe(DecisionStatus.Decided);
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        _world.Script.Deeds.ShouldBeEmpty();
        incident.OpenGate!.Difference.ShouldBe("ada approved, but is no longer in owners, and somebody from owners has to approve.");
    }

    /// <summary>Nobody who heard of it could have said no.</summary>
    [Fact]
    public async Task OnlyOneWhomTheQuestionReachedMayAnswerNoLonger_SilenceIsNoYesUntilOthersHadTheTime()
    {
        _world.Get<CurrentContacts>().Replace(Team("ada"));
        var opened = await _world.OpenAsync(Asking(approval => approval with { From = ["team"], OnTimeout = OnTimeout.ProceedIfReversible }) with { Resolution = new() });
        var time = Given.Approval().Timeout;
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));
        _world.Get<CurrentContacts>().Replace(Team("grace"));

        var incident = await _world.AdvanceAsync(opened.Id, time);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Script.Deeds.ShouldBeEmpty();
        incident.Deliveries.ShouldContain(delivery => delivery.Contact == "grace" && delivery.Reached);
        (await _world.AdvanceAsync(opened.Id, time)).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task ApproverIsRemovedWhileTheChecksAreAskedOnceMore_IsAskedAnew()
    {
        _world.Get<CurrentContacts>().Replace(Team("ada", "grace"));
        var opened = await _world.OpenAsync(Asking(approval => approval with { From = ["team"] }));
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));
        _world.Script.OnAsk = _ => _world.Get<CurrentContacts>().Replace(Team("grace"));

        (await DecideAsync(opened.Id, "ada")).ShouldBe(DecisionStatus.Decided);
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        _world.Script.Deeds.ShouldBeEmpty();
        incident.OpenGate!.Difference.ShouldBe("ada approved, and may not decide any more: that does not count.");
    }

    [Fact]
    public async Task StartedByHandUnderSeparationOfDuties_SomebodyElseHasToSayYes()
    {
        var runbook = Asking(approval => approval with { SeparationOfDuties = true });
        var opened = await _world.OpenAsync(runbook, Given.Incident(runbook) with { StartedBy = "ada" });

        (await DecideAsync(opened.Id, "ada")).ShouldBe(DecisionStatus.NotAllowed);
        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.AwaitingApproval);

        (await DecideAsync(opened.Id, "grace")).ShouldBe(DecisionStatus.Decided);
        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.Resolved);
    }

    /// <summary>Somebody who may say yes has to hear of it: the only one on call is whoever started it.</summary>
    [Fact]
    public async Task OnlyTheStarterIsReached_TheFallbackIsAskedAtOnce()
    {
        _world.Get<CurrentContacts>().Replace(new([new("shift", [People.Ada]), new(ContactBook.Fallback, [People.Linus])]));
        var runbook = Asking(approval => approval with { SeparationOfDuties = true, From = ["shift"], Escalate = [] });

        var opened = await _world.OpenAsync(runbook, Given.Incident(runbook) with { StartedBy = "ada" });

        opened.OpenGate!.Starter.ShouldBe("ada");
        opened.OpenGate.Approvers.ShouldContain(ContactBook.Fallback);
    }

    [Fact]
    public async Task LeadWhoIsAskedLater_MayDecideOnlyFromThenOn()
    {
        var opened = await _world.OpenAsync(Asking(approval => approval));

        (await DecideAsync(opened.Id, "linus")).ShouldBe(DecisionStatus.NotAllowed);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(11));

        (await DecideAsync(opened.Id, "linus")).ShouldBe(DecisionStatus.Decided);
        (await _world.SettleAsync(opened.Id)).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task TakenOver_NothingRunsAndItStaysOpenUntilSomebodyClosesIt()
    {
        var opened = await _world.OpenAsync(Asking(approval => approval));

        (await DecideAsync(opened.Id, "ada", DecisionVerb.TakeOver)).ShouldBe(DecisionStatus.Decided);
        var driven = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(3));
        driven.State.ShouldBe(IncidentState.TakenOver);
        driven.IsOwnedByResponder().ShouldBeTrue();
        (await DecideAsync(opened.Id, "grace")).ShouldBe(DecisionStatus.AlreadyClosed);

        var closed = await _world.Get<IncidentVerbService>().CloseAsync(opened.Id, "ada", "Restarted by hand.", TestContext.Current.CancellationToken);
        closed.Result.Status.ShouldBe(DecisionStatus.Decided);
        closed.Incident!.IsOwnedByResponder().ShouldBeFalse();
        _world.Script.Deeds.ShouldBeEmpty();
    }

    private static ContactBook Team(params string[] people) =>
        new([new Contact("team", [.. people.Select(OnTest)])]);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static Runbook Asking(Func<Approval, Approval> how) =>
        Given.Runbook() with { Mitigation = Given.Runbook().Mitigation with { Approval = how(Given.Approval()) } };

    private async Task<DecisionStatus> DecideAsync(string id, string person, DecisionVerb verb = DecisionVerb.Approve)
    {
        var receipt = await _world.Get<ApprovalService>().DecideAsync(id, (await _world.Store.GetAsync(id, TestContext.Current.CancellationToken)).LatestGate?.Id, new DecisionRequest(verb, person, "api"), TestContext.Current.CancellationToken);
        await _world.SettleAsync(id);
        return receipt.Result.Status;
    }
}
