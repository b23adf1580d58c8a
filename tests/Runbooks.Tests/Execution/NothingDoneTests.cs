using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit.Incidents;
using TestKit.People;

namespace Runbooks.Tests.Execution;

/// <summary>An attempt of which is known that nothing came of it: it was never sent, it was turned away, or it was not its turn.</summary>
public sealed class NothingDoneTests : IAsyncDisposable
{
    private static readonly Runbook s_plain = Given.Runbook() with { Resolution = new() };
    private readonly IncidentWorld _world = new(configure: services => services.AddWatchdog());

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static Runbook With(string action) => s_plain with { Mitigation = s_plain.Mitigation with { Steps = [Given.Step("first"), Given.Step("fix", action)] } };

    /// <summary>The first so many attempts of the step come to this.</summary>
    private async Task<Incident> RunAsync(Runbook runbook, int count, Exception failure, TimeSpan passing)
    {
        _world.Script.BeforeActing = name => name == "fix" && count-- > 0 ? failure : null;
        var opened = await _world.OpenAsync(runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        return await _world.AdvanceAsync(opened.Id, passing);
    }

    [Fact]
    public async Task StepThatCannotBeRepeated_IsTriedAgainWhenNothingWasDone()
    {
        var incident = await RunAsync(With("script.once"), 3, new AttemptFailedException("connection refused") { NothingDone = true }, TimeSpan.FromMinutes(1));

        _world.Script.Count("do fix").ShouldBe(1);
        var step = incident.Steps.Single(step => step.Name == "fix");
        (step.Status, step.Attempts).ShouldBe((StepStatus.Done, 1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StepThatMayBeRepeated_HasDoneNothingWhereNoAttemptDid(bool last)
    {
        var runbook = With("script.act");
        Queue<AttemptFailedException> failures = new([new("changed meanwhile") { NothingDone = true }, new("changed meanwhile") { NothingDone = true }, new("no answer") { NothingDone = last }]);
        _world.Script.BeforeActing = name => name == "fix" && failures.TryDequeue(out var failure) ? failure : null;
        var opened = await _world.OpenAsync(runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30));

        var step = ended.Steps.Single(step => step.Name == "fix");
        (step.Status, step.Attempts, step.NothingDone).ShouldBe((last ? StepStatus.Failed : StepStatus.Undone, 3, last));
    }

    /// <summary>Who said yes would otherwise believe that it is at work.</summary>
    [Fact]
    public async Task WhileItIsTurnedAway_TheRecordSaysSoOnce()
    {
        var incident = await RunAsync(With("script.once"), int.MaxValue, new AttemptFailedException("payments has too much to do at the moment (429).") { NothingDone = true }, TimeSpan.FromMinutes(2));

        const string Said = "fix waits: payments has too much to do at the moment (429). It is tried again.";
        (incident.State, incident.Reason, incident.WaitsUntil > _world.Time.GetUtcNow()).ShouldBe((IncidentState.Mitigating, Said, true));
        incident.Timeline.Count(line => line.What == Said).ShouldBe(1);
    }

    [Fact]
    public async Task WhatItLooksAtDoesNotAnswer_TheRecordSaysSoUntilItActs()
    {
        var opened = await _world.OpenAsync(With("script.act"));
        var away = 3;
        _world.Script.BeforeLooking = name => name == "fix" && away-- > 0 ? new AttemptFailedException("The cluster does not answer") : null;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        (await _world.SettleAsync(opened.Id)).Reason.ShouldBe("fix waits: The cluster does not answer. It is tried again.");
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1))).Reason.ShouldNotBe("fix waits: The cluster does not answer. It is tried again.");
    }

    [Fact]
    public async Task AttemptThatFailedAndIsMadeAgain_IsSaidUntilThen()
    {
        Queue<AttemptFailedException> failures = new([new("no answer"), new("no answer")]);
        _world.Script.BeforeActing = name => name == "fix" && failures.TryDequeue(out var failure) ? failure : null;
        var opened = await _world.OpenAsync(With("script.act"));
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var waits = await _world.SettleAsync(opened.Id);
        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        waits.Reason.ShouldBe("fix is tried again: no answer");
        ended.Timeline.Count(line => line.What == "fix is tried again: no answer").ShouldBe(1);
        (ended.Steps.Single(step => step.Name == "fix").Attempts, ended.Reason == waits.Reason).ShouldBe((3, false));
    }

    [Fact]
    public async Task NothingIsEverDone_TheStepHasFailedAndTheOthersAreTakenBack()
    {
        var incident = await RunAsync(With("script.once"), int.MaxValue, new AttemptFailedException("connection refused") { NothingDone = true }, TimeSpan.FromHours(2));

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Reason.ShouldNotBeNull().ShouldContain("Step 'fix': connection refused");
        incident.FindStep(Phase.Mitigation, "fix").ShouldBeNull("nothing was done");
        _world.Script.Deeds.ShouldBe(["do first", "undo first"]);
    }

    /// <summary>It was turned away before anything was changed, as by a missing role: half done it cannot be.</summary>
    [Theory]
    [InlineData(true, "Did nothing: fix.")]
    [InlineData(false, "May be half done: fix.")]
    public async Task StepThatWasRefused_IsSaidToBeHalfDoneOnlyWhereItMayBe(bool nothingDone, string said)
    {
        var incident = await RunAsync(With("script.once"), int.MaxValue, new StepRefusedException("this identity lacks the role.") { NothingDone = nothingDone }, TimeSpan.FromHours(2));

        (incident.State, incident.FindStep(Phase.Mitigation, "fix")!.Status).ShouldBe((IncidentState.Failed, StepStatus.Failed));
        incident.Reason.ShouldBe($"Step 'fix': this identity lacks the role. Undone: first. {said}");
    }

    /// <summary>What a later attempt is refused says nothing of the first.</summary>
    [Fact]
    public async Task LaterAttemptThatWasRefused_LeavesOpenWhatTheFirstOneDid()
    {
        var attempts = 0;
        _world.Script.BeforeActing = name => name != "fix" ? null : attempts++ == 0 ? new AttemptFailedException("no answer") : new StepRefusedException("this identity lacks the role.") { NothingDone = true };
        var opened = await _world.OpenAsync(With("script.act"));
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(2))).Steps.Single(step => step.Name == "fix").NothingDone.ShouldBeFalse();
    }

    [Fact]
    public async Task StepThatCannotBeRepeatedAndMayHaveHappened_IsUnknown()
    {
        var incident = await RunAsync(With("script.once"), 1, new AttemptFailedException("no answer"), TimeSpan.FromMinutes(1));

        incident.Steps.Single(step => step.Name == "fix").Status.ShouldBe(StepStatus.Unknown);
        _world.Script.Count("do fix").ShouldBe(0);
    }

    [Theory]
    [InlineData("script.act")]
    [InlineData("script.once")]
    public async Task StepThatWaitsForItsTurn_HasNotFailed(string action)
    {
        var incident = await RunAsync(With(action), 10, new AttemptFailedException("WAF policy assist is being changed by another step.") { IsBusy = true }, TimeSpan.FromMinutes(10));
        incident.State.ShouldBe(IncidentState.Mitigating);
        incident.Reason.ShouldBe("fix waits: WAF policy assist is being changed by another step.");
        incident.FindStep(Phase.Mitigation, "fix").ShouldBeNull();

        incident = await _world.AdvanceAsync(incident.Id, TimeSpan.FromMinutes(15));

        var step = incident.Steps.Single(step => step.Name == "fix");
        (step.UndoneFrom ?? step.Status, step.Attempts).ShouldBe((StepStatus.Done, 1));
        _world.Script.Count("do fix").ShouldBe(1);
    }

    /// <summary>Whoever said yes sleeps, and users wait.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task StepThatHasWaitedForHalfAnHour_IsToldOnce(bool whileLooking)
    {
        var busy = new AttemptFailedException("Front Door answered 429") { IsBusy = true };
        DateTimeOffset? free = null;
        var opened = await _world.OpenAsync(With("script.act"));
        Exception? Wait(string name) => name == "fix" && _world.Time.GetUtcNow() < (free ??= _world.Time.GetUtcNow().AddMinutes(50)) ? busy : null;
        _world.Script.BeforeLooking = name => whileLooking ? Wait(name) : null;
        _world.Script.BeforeActing = name => whileLooking ? null : Wait(name);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(25))).Pages.ShouldBeEmpty();
        var waits = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(5));
        await _world.Time.UntilDoneAsync(_world.Get<IncidentWatchdog>().CheckAsync(TestContext.Current.CancellationToken));

        waits.State.ShouldBe(IncidentState.Mitigating);
        waits.Pages.ShouldHaveSingleItem().Message.ShouldMatch("^fix was to run at [0-9:]+ UTC and has waited for its turn since then: Front Door answered 429. It is tried again");
        _world.Notifier.To(CardKind.Page).ShouldBe(["oncall", ContactBook.Fallback], ignoreOrder: true);
        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(20));
        _world.Script.Count("do fix").ShouldBe(1);
    }

    /// <summary>Even to look may have to wait for somebody else's script.</summary>
    [Fact]
    public async Task StepThatWaitsForItsTurnToLook_HasNotFailed()
    {
        var opened = await _world.OpenAsync(With("script.act"));
        var busy = 20;
        _world.Script.BeforeLooking = name => name == "fix" && busy-- > 0 ? new AttemptFailedException("The machine runs another script.") { IsBusy = true } : null;
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(10));
        incident.Reason.ShouldBe("fix waits: The machine runs another script.");

        await _world.AdvanceAsync(incident.Id, TimeSpan.FromMinutes(40));
        _world.Script.Count("do fix").ShouldBe(1);
    }

    /// <summary>What an attempt before it may have done stays on record.</summary>
    [Fact]
    public async Task StepThatFailedBefore_KeepsThatWhileItWaitsForItsTurn()
    {
        Queue<AttemptFailedException> failures = new([new("broke off"), new("busy") { IsBusy = true }, new("busy") { IsBusy = true }]);
        _world.Script.BeforeActing = name => name == "fix" && failures.TryDequeue(out var failure) ? failure : null;
        var opened = await _world.OpenAsync(With("script.act"));
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(3));

        var step = incident.Steps.Single(step => step.Name == "fix");
        (step.Status, step.Attempts).ShouldBe((StepStatus.Done, 2));
    }

    [Fact]
    public async Task UndoThatWaitsForItsTurn_HasNotFailed()
    {
        var busy = 10;
        _world.Script.BeforeUndoing = name => busy-- > 0 ? new AttemptFailedException("busy") { IsBusy = true } : null;
        _world.Script.BeforeActing = name => name == "fix" ? new StepRefusedException("no such pod") : null;
        var opened = await _world.OpenAsync(With("script.act"));
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30));

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Steps.Single(step => step.Name == "first").Status.ShouldBe(StepStatus.Undone);
        _world.Script.Count("undo first").ShouldBe(1);
    }
}
