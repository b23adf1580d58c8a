using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Watchdog;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>
/// A person's no stands whatever else opens on the target: until something is decided or done about the same alert. The runbook heals by itself
/// once the first question was answered, so what forgot the no would act unasked.
/// </summary>
public sealed class StandingNoTests : IAsyncDisposable
{
    private static readonly Runbook s_asks = IntakeWorld.Runbook("disk", "{{ labels.resourceName }}", "azure-monitor", "*");
    private static readonly Runbook s_heals = s_asks with { Hash = "heals", Mitigation = s_asks.Mitigation with { Approval = null } };
    private readonly IntakeWorld _world = new(services => services.AddWatchdog(), s_asks);
    private int _fired;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatOpenedAfterTheNoEndsByItself_TheNextOneStillAsks(bool expires)
    {
        var refused = await RefuseAsync("/var");
        _world.Runbooks[0] = s_asks;
        var between = (await FireAsync("/tmp")).Id!;
        if (!expires)
        {
            _world.World.Script.Verdicts["stuck"] = Verdict.Passing;
            await _world.TakeAsync(Disk("/tmp", $"{_fired}") with { Status = AlertStatus.Resolved });
        }

        (await _world.World.AdvanceAsync(between, TimeSpan.FromMinutes(40))).State.ShouldBe(expires ? IncidentState.Expired : IncidentState.SelfRecovered);
        _world.World.Script.Verdicts["stuck"] = Verdict.Failing;
        _world.Runbooks[0] = s_heals;

        var next = Find((await FireAsync("/data")).Id);

        next.State.ShouldBe(IncidentState.AwaitingApproval);
        next.OpenGate!.Warnings.ShouldContain(line => line.StartsWith($"The last decision on this target was a no: incident {refused} was rejected"));
    }

    [Fact]
    public async Task AnotherIncidentWasApproved_TheNextAlertOfAnotherKindIsHealed()
    {
        await RefuseAsync("/var");
        await FixAsync((await FireAsync("/tmp")).Id!);
        NextHour();

        var next = Find((await FireAsync("/data")).Id);

        (next.EarlierNo, next.State).ShouldBe((null, IncidentState.Resolved));
    }

    [Fact]
    public async Task StatelessRuleFiresWhileAnotherIncidentIsOpen_DoesNotAskAgain()
    {
        var refused = await RefuseAsync("/var");
        var between = (await FireAsync("/tmp")).Id!;

        var again = await FireAsync("/var");
        await FixAsync(between);

        (again.Outcome, again.Id).ShouldBe((IntakeResult.Folded, refused));
        again.Reason!.ShouldStartWith("It still fires and does not ask again: incident");
        (Find(between).Alerts.Count, _world.World.Store.All.Count).ShouldBe((1, 2));
    }

    /// <summary>What is open about the very alert has it, whatever was said no to before.</summary>
    [Fact]
    public async Task FiresWhileTheQuestionAboutItIsOpenAgain_IsOnThatQuestion()
    {
        await RefuseAsync("/var");
        var worse = await FireAsync("/var", "Sev1");

        var again = await FireAsync("/var");

        (worse.Outcome, again.Outcome, again.Id).ShouldBe((IntakeResult.Opened, IntakeResult.Folded, worse.Id));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task StatelessRuleFiresAfterOthersCameAndWent_DoesNotAskAgain(int others)
    {
        var refused = await RefuseAsync("/var");
        for (var n = 0; n < others; n++)
        {
            await FixAsync((await FireAsync($"/tmp{n}")).Id!);
            _world.World.Time.Advance(TimeSpan.FromMinutes(45));
            _world.World.Script.Verdicts["stuck"] = Verdict.Failing;
        }

        var again = await FireAsync("/var");

        (again.Outcome, again.Id).ShouldBe((IntakeResult.Folded, refused));
        (Find(refused).AlertCount, _world.World.Store.All.Count).ShouldBe((2, others + 1));
    }

    [Theory]
    [InlineData(241, "Sev2")]
    [InlineData(1_441, "Sev2")]
    [InlineData(45, "Sev1")]
    public async Task NoHoldsNoLonger_AsksAndSaysWhoSaidNo(int minutes, string severity)
    {
        var refused = await RefuseAsync("/var");
        await FixAsync((await FireAsync("/tmp")).Id!);
        _world.World.Time.Advance(TimeSpan.FromMinutes(minutes));
        _world.World.Script.Verdicts["stuck"] = Verdict.Failing;

        var answer = await FireAsync("/var", severity);

        answer.Outcome.ShouldBe(IntakeResult.Opened);
        var asked = Find(answer.Id);
        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.OpenGate!.Warnings.ShouldContain($"An alert of this incident came before, and a person said no: incident {refused} was rejected by alice on 2026-11-23 at 03:00:00 UTC.");
        asked.Timeline.ShouldContain(line => line.What == asked.EarlierNo!.Warning);
    }

    /// <summary>It joined the open incident, and is looked at when that ends: about that alert the last word is still the no.</summary>
    [Fact]
    public async Task WorseWhileAnotherIncidentIsOpen_TheFollowUpKnowsTheNo()
    {
        _world.Runbooks[0] = OfFolder(s_asks);
        var refused = await RefuseAsync("/var", OfFolder(s_heals));
        var between = (await FireAsync("/tmp")).Id!;

        (await FireAsync("/var", "Sev1")).Id.ShouldBe(between);
        await FixAsync(between);

        var next = _world.World.Store.All[^1];
        (next.FollowUpOf, next.EarlierNo?.Incident, next.EarlierNo?.OfAlert).ShouldBe((between, refused, true));
    }

    [Fact]
    public async Task SomethingWasDoneAboutIt_TheNoIsGoneAlsoAfterAnother()
    {
        await RefuseAsync("/var");
        await FixAsync((await FireAsync("/var", "Sev1")).Id!);
        NextHour();
        (await FireAsync("/tmp")).Outcome.ShouldBe(IntakeResult.Opened);
        NextHour();

        var next = await FireAsync("/var");

        next.Outcome.ShouldBe(IntakeResult.Opened);
        (Find(next.Id).EarlierNo, Find(next.Id).State).ShouldBe((null, IncidentState.Resolved));
    }

    [Fact]
    public async Task TriedAgainByAPerson_TheNoIsTakenBack()
    {
        var refused = await RefuseAsync("/var");
        var retried = (await _world.World.Get<IncidentRetry>().RetryAsync(refused, "bob", "ada has left", TestContext.Current.CancellationToken)).Incident!;
        await _world.World.Engine.SettleAsync();
        (Find(retried).State, Find(retried).EarlierNo?.Incident).ShouldBe((IncidentState.AwaitingApproval, refused));
        await FixAsync(retried);
        NextHour();

        var next = await FireAsync("/var");

        (next.Outcome, Find(next.Id).State).ShouldBe((IntakeResult.Opened, IncidentState.Resolved));
    }

    [Fact]
    public async Task FlapsAfterTheNoWithAnotherIncidentBetween_DoesNotAskAgain()
    {
        var refused = await RefuseFlappingAsync();
        var between = (await _world.TakeAsync(Pod("other")))[0];

        var again = (await _world.TakeAsync(Pod("first")))[0];
        await _world.TakeAsync(Over("first"));

        between.Outcome.ShouldBe(IntakeResult.Opened);
        (again.Outcome, again.Id).ShouldBe((IntakeResult.Folded, refused));
        again.Reason!.ShouldContain("does not ask again until it has been quiet");
        Find(between.Id).Alerts.Count.ShouldBe(1);
    }

    /// <summary>A no to what comes and goes is none to what stays: it is looked at in a while, though another incident is the newest on the target.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FlapsAfterTheNoWithAnotherIncidentBetweenAndStays_IsAskedAbout(bool otherHasEnded)
    {
        var refused = await RefuseFlappingAsync();
        var between = (await _world.TakeAsync(Pod("other")))[0].Id!;
        if (otherHasEnded)
        {
            await _world.World.DecideAsync(between, DecisionVerb.Reject);
        }

        await _world.TakeAsync(Pod("first"));
        await _world.WatchAsync(18);

        var last = _world.World.Store.All[^1];
        (last.Id == between).ShouldBe(!otherHasEnded);
        last.KnowsFiring(Pod("first")).ShouldBeTrue();
        last.State.ShouldBe(IncidentState.AwaitingApproval);
        Find(refused).Timeline[^1].What.ShouldEndWith($"Incident {last.Id} looks at it.");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Incident Find(string? id) => _world.World.Store.All.Single(incident => incident.Id == id);

    private static Alert Disk(string folder, string id, string severity = "Sev2") => new()
    {
        Source = "azure-monitor",
        Name = "DiskAlmostFull",
        Fingerprint = id,
        Severity = severity,
        Labels = new Dictionary<string, string> { ["resourceName"] = "vm-1", ["folder"] = folder },
    };

    /// <summary>Does something else for each folder.</summary>
    private static Runbook OfFolder(Runbook runbook) =>
        runbook with { Mitigation = runbook.Mitigation with { Steps = [Given.Step("fix", with: new { name = "fix", text = "{{ labels.folder }}" })] } };

    /// <summary>Each firing is an alert of its own.</summary>
    private async Task<IntakeOutcome> FireAsync(string folder, string severity = "Sev2") => (await _world.TakeAsync(Disk(folder, $"{++_fired}", severity)))[0];

    private async Task<string> RefuseAsync(string folder, Runbook? next = null)
    {
        var id = (await FireAsync(folder)).Id!;
        await _world.World.DecideAsync(id, DecisionVerb.Reject);
        _world.Runbooks[0] = next ?? s_heals;
        return id;
    }

    private async Task FixAsync(string id)
    {
        _world.World.Script.OnDone = _ => _world.World.Script.Verdicts["stuck"] = Verdict.Passing;
        (await _world.World.DecideAsync(id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
    }

    private void NextHour()
    {
        _world.World.Time.Advance(TimeSpan.FromHours(1));
        _world.World.Script.Verdicts["stuck"] = Verdict.Failing;
    }

    /// <summary>Whoever is asked about something else there reads of it at once, and not when the question is looked at the next time.</summary>
    [Fact]
    public async Task FlapsAfterTheNoAndStays_TheQuestionThatIsOpenSaysSoAtOnce()
    {
        var refused = await RefuseFlappingAsync();
        var between = (await _world.TakeAsync(Pod("other")))[0].Id!;
        await _world.TakeAsync(Pod("first"));

        await _world.World.Get<IncidentIntake>().LookAgainAsync(Find(refused), TestContext.Current.CancellationToken);
        await _world.World.Engine.SettleAsync();

        Find(between).ShownNews.ShouldNotBeNull().ShouldBe(Find(between).NewsMark);
    }

    private async Task<string> RefuseFlappingAsync()
    {
        _world.Runbooks[0] = Given.Runbook() with { Target = "one", Diagnosis = [Given.Check("stuck")], Resolution = new() };
        for (var n = 0; n < 3; n++)
        {
            await _world.TakeAsync(Pod("first"));
            if (n == 2)
            {
                await _world.World.DecideAsync(_world.World.Store.All[^1].Id, DecisionVerb.Reject);
            }

            await _world.TakeAsync(Over("first"));
        }

        return _world.World.Store.All[^1].Id;
    }

    private static Alert Pod(string pod) => Given.Alert() with { Fingerprint = pod, Labels = new Dictionary<string, string> { ["pod"] = pod } };

    private static Alert Over(string pod) => Pod(pod) with { Status = AlertStatus.Resolved };
}
