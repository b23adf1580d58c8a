using Runbooks.Catalog.Steps;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Orchestration;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>The storage account is away, or refuses: that the checks cannot be asked says nothing about the fix, and ends nothing.</summary>
public sealed class RecheckThatBreaksTests : IAsyncDisposable
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new() };
    private static readonly Hold s_lease = new(["full"], StableFor: s_minute * 5, AtMost: s_minute * 60, Every: TimeSpan.FromSeconds(30));
    private readonly IncidentWorld _world;
    private string[] _broken = [];

    public RecheckThatBreaksTests() =>
        _world = new(new WorldHubOptions { Around = (name, work) => _broken.Contains(name) ? throw new IOException("The storage account is away.") : work() });

    [Fact]
    public async Task WhileALeaseIsHeld_ItIsHeldOnAPersonIsToldOnceAndItIsTakenBackInTheEnd()
    {
        var lease = new Hold(["full"], StableFor: s_minute * 5, AtMost: TimeSpan.FromHours(9), Every: TimeSpan.FromSeconds(30));
        var held = await ActAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = lease } });
        _broken = [nameof(Recheck)];

        (await _world.AdvanceAsync(held.Id, s_minute * 90)).State.ShouldBe(IncidentState.Holding);
        _world.Notifier.Sent.Count(sent => sent.Card.Kind == CardKind.Page && sent.To == Runbooks.Notifications.ContactBook.Fallback).ShouldBe(1);
        _world.Notifier.Sent.Last(sent => sent.Card.Kind == CardKind.Page).Card.Sections[0].Lines[0]
            .ShouldStartWith("The temporary fix is in place, and whether its cause is gone could not be found out 3 times in a row");

        _broken = [];
        _world.Script.Verdicts["full"] = Verdict.Passing;
        (await _world.AdvanceAsync(held.Id, s_minute * 15)).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task WhileALeaseIsHeldAndNobodyCanBePaged_ItIsHeldOnAndTheyArePagedLater()
    {
        var held = await ActAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = s_lease } });
        _broken = [nameof(Recheck), nameof(PagePerson)];

        (await _world.AdvanceAsync(held.Id, s_minute * 90)).State.ShouldBe(IncidentState.Holding);
        _world.Notifier.To(CardKind.Page).ShouldBeEmpty();

        _broken = [];
        (await _world.AdvanceAsync(held.Id, s_minute * 35)).State.ShouldBe(IncidentState.Holding);
        _world.Notifier.Sent.Last(sent => sent.Card.Kind == CardKind.Page).Card.Sections[0].Lines[0].ShouldStartWith("The temporary fix has been in place for more than 1h");
    }

    [Theory]
    [InlineData(4, IncidentState.Resolved)]
    [InlineData(20, IncidentState.Failed)]
    public async Task WhileVerifying_ItIsUnclearForAsLongAsTheFixHasToHelp(int minutes, IncidentState state)
    {
        _broken = [nameof(Recheck)];
        var verifying = await ActAsync(s_runbook);
        await _world.AdvanceAsync(verifying.Id, s_minute * minutes);
        _broken = [];

        var ended = await _world.AdvanceAsync(verifying.Id, s_minute * 5);

        ended.State.ShouldBe(state);
        if (state == IncidentState.Failed)
        {
            ended.Reason.ShouldBe("Whether the fix helped could not be found out within 5m: The storage account is away. Undone: fix.");
        }
    }

    [Fact]
    public async Task WhenALeaseIsToBeTakenBack_ThatIsTriedAgainUntilItIs()
    {
        var held = await ActAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = s_lease } });
        _broken = [nameof(UndoSteps)];
        _world.Script.Verdicts["full"] = Verdict.Passing;
        (await _world.AdvanceAsync(held.Id, s_minute * 20)).State.ShouldBe(IncidentState.Holding);
        _world.Script.Deeds.ShouldBe(["do fix"]);

        _broken = [];
        (await _world.AdvanceAsync(held.Id, s_minute * 10)).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task WhenALeaseIsTakenBackLateAndItsCauseIsBack_ItIsHeldOn()
    {
        var held = await ActAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = s_lease } });
        _broken = [nameof(UndoSteps)];
        _world.Script.Verdicts["full"] = Verdict.Passing;
        await _world.AdvanceAsync(held.Id, s_minute * 20);

        (_broken, _world.Script.Verdicts["full"]) = ([], Verdict.Failing);

        (await _world.AdvanceAsync(held.Id, s_minute * 30)).State.ShouldBe(IncidentState.Holding);
        _world.Script.Deeds.ShouldBe(["do fix"]);
    }

    [Fact]
    public async Task WhenAFixThatDidNotHelpIsToBeTakenBack_ThatIsTriedAgainUntilItIs()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _broken = [nameof(UndoSteps)];
        var failing = (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident;
        (await _world.AdvanceAsync(failing.Id, s_minute * 20)).State.IsFinal().ShouldBeFalse();

        _broken = [];
        var ended = await _world.AdvanceAsync(failing.Id, s_minute * 10);
        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason!.ShouldStartWith("The fix did not help");
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    [Fact]
    public async Task WhenNothingCanBeTakenBackForLong_ItEndsAndSaysSo()
    {
        var held = await ActAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = s_lease } });
        _broken = [nameof(UndoSteps)];
        _world.Script.Verdicts["full"] = Verdict.Passing;

        var ended = await _world.AdvanceAsync(held.Id, s_minute * 90);

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason!.ShouldStartWith("The cause is gone, but the temporary fix could not be taken back");
    }

    [Fact]
    public async Task WhileEverythingIsPausedAndNobodyCanBePaged_TheLeaseIsTakenBackOnceThatIsOver()
    {
        var held = await ActAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = s_lease } });
        (_broken, _world.Script.Verdicts["full"]) = ([nameof(UndoSteps)], Verdict.Passing);
        await _world.AdvanceAsync(held.Id, s_minute * 8);
        await _world.Get<KillSwitch>().EngageAsync("ada", "hands off", TestContext.Current.CancellationToken);
        _broken = [nameof(PagePerson)];
        await _world.AdvanceAsync(held.Id, s_minute * 60);
        _world.Notifier.To(CardKind.Page).ShouldBeEmpty();

        _broken = [];
        (await _world.AdvanceAsync(held.Id, s_minute * 60)).State.ShouldBe(IncidentState.Holding);
        _world.Notifier.Sent.Last(sent => sent.Card.Kind == CardKind.Page).Card.Sections[0].Lines[0].ShouldContain("is not taken back while the kill switch is on. It is taken back within half an hour after the kill switch is released, unless its cause is back by then.");
        _world.Notifier.Sent.Last(sent => sent.Card.Kind == CardKind.Page).Card.Sections.Single(section => section.Heading == "What to do now").Lines[0].ShouldStartWith("Release the kill switch under Safety");
        await _world.Get<KillSwitch>().ReleaseAsync("ada", "go on", stop: null, TestContext.Current.CancellationToken);

        (await _world.AdvanceAsync(held.Id, s_minute * 35)).State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    /// <summary>It failed first, and that is not what it waits for now.</summary>
    [Fact]
    public async Task WhileEverythingIsPausedAfterAFailedTry_PeopleAreSentToTheKillSwitch()
    {
        var held = await ActAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = s_lease } });
        _world.Script.BeforeUndoing = _ => new AttemptFailedException("App Configuration answered 503");
        _world.Script.Verdicts["full"] = Verdict.Passing;
        var failing = await _world.AdvanceAsync(held.Id, s_minute * 12);
        NextStepText.Of(failing, _world.Time.GetUtcNow()).ShouldStartWith("It is tried again until ");

        await _world.Get<KillSwitch>().EngageAsync("ada", "hands off", TestContext.Current.CancellationToken);
        var paused = await _world.AdvanceAsync(held.Id, s_minute * 20);

        NextStepText.Of(paused, _world.Time.GetUtcNow()).ShouldStartWith("Release the kill switch under Safety");
    }

    /// <summary>Its checks are asked each half minute again, so the watchdog must not wait for a try that is not made.</summary>
    [Fact]
    public async Task WhenALeaseIsHeldOnAfterAFailedTry_ItDoesNotWaitForTheNextOne()
    {
        var held = await ActAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = s_lease } });
        _world.Script.BeforeUndoing = _ => new AttemptFailedException("App Configuration answered 503");
        _world.Script.Verdicts["full"] = Verdict.Passing;
        (await _world.AdvanceAsync(held.Id, s_minute * 12)).WaitsUntil.ShouldNotBeNull();

        _world.Script.Verdicts["full"] = Verdict.Failing;
        var on = await _world.AdvanceAsync(held.Id, s_minute * 20);

        (on.State, on.UndoBeganAt, on.WaitsUntil).ShouldBe((IncidentState.Holding, null, null));
    }

    [Fact]
    public async Task EachTimeThatALeaseIsNotTakenBackAndHeldOn_SomebodyHearsOfIt()
    {
        var held = await ActAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = s_lease } });
        for (var time = 1; time <= 2; time++)
        {
            (_broken, _world.Script.Verdicts["full"]) = ([nameof(UndoSteps)], Verdict.Passing);
            await _world.AdvanceAsync(held.Id, s_minute * 12);
            await _world.Get<KillSwitch>().EngageAsync("ada", "hands off", TestContext.Current.CancellationToken);
            _broken = [];
            await _world.AdvanceAsync(held.Id, s_minute * 20);
            _world.Script.Verdicts["full"] = Verdict.Failing;
            await _world.Get<KillSwitch>().ReleaseAsync("ada", "go on", stop: null, TestContext.Current.CancellationToken);
            (await _world.AdvanceAsync(held.Id, s_minute * 10)).State.ShouldBe(IncidentState.Holding);
        }

        var pages = _world.Notifier.Sent.Where(sent => sent.Card.Kind == CardKind.Page && sent.To == Runbooks.Notifications.ContactBook.Fallback).Select(sent => sent.Card.Sections[0].Lines[0]).ToList();
        pages.Count(line => line.Contains("is not taken back while the kill switch is on")).ShouldBe(2);
        pages.Count(line => line.Contains("It is held on until it does.")).ShouldBe(2);
    }

    [Fact]
    public async Task AStopAfterARoundThatCouldNotBeAsked_IsHeardWithinAMinute()
    {
        var held = await ActAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { HoldUntil = s_lease } });
        _broken = [nameof(Recheck)];
        await _world.AdvanceAsync(held.Id, s_minute * 120);

        _broken = [];
        await _world.StopAsync(held.Id);

        (await _world.AdvanceAsync(held.Id, s_minute * 2)).State.ShouldBe(IncidentState.Cancelled);
        _world.Script.Deeds.ShouldBe(["do fix", "undo fix"]);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task<Incident> ActAsync(Runbook runbook)
    {
        var opened = await _world.OpenAsync(runbook);
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        return (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident;
    }
}
