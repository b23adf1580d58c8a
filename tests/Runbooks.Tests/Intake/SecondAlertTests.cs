using Runbooks.Approvals;
using Runbooks.Execution;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>Another alert on a target with an open incident is nothing less than the first.</summary>
public sealed class SecondAlertTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(IntakeWorld.Disk());

    [Fact]
    public async Task SecondAlert_KeepsWhatItSaysAndIsOnTheTimelineAndTheNextCard()
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");

        await _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json");

        var second = _world.Only.Others.ShouldHaveSingleItem();
        (second.Alert!.Severity, second.Alert.Labels["folder"], second.IsWhole).ShouldBe(("Sev2", "/tmp", true));
        _world.Only.Timeline.ShouldContain(line => line.What.StartsWith("Another alert on this target: DiskAlmostFull (Sev2): "));
        await _world.World.AdvanceAsync(_world.Only.Id, TimeSpan.FromMinutes(6));
        _world.World.Notifier.Sent.Last(sent => sent.Card.Kind == CardKind.Reminder).Card.Sections.Single(section => section.Heading == "Also reported on this target")
            .Lines.ShouldHaveSingleItem().ShouldEndWith("It still fires.");
    }

    [Fact]
    public async Task StillFiringAtTheEndWithOtherParameters_GetsAnIncidentOfItsOwn()
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        await _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json");
        var first = _world.Only.Id;
        _world.World.Script.OnDone = _ => _world.World.Script.Verdicts["stuck"] = Verdict.Passing;

        await _world.World.DecideAsync(first, DecisionVerb.Approve);
        await _world.World.AdvanceAsync(first, TimeSpan.FromMinutes(1));

        _world.World.Store.All.Count.ShouldBe(2);
        var (ended, next) = (_world.World.Store.All[0], _world.World.Store.All[1]);
        (ended.State, ended.FollowedBy).ShouldBe((IncidentState.Resolved, next.Id));
        (next.FollowUpOf, next.Alert.Labels["folder"]).ShouldBe((first, "/tmp"));
        _world.World.Notifier.Sent.Last(sent => sent.Card.Kind == CardKind.Closed).Card.Sections.SelectMany(section => section.Lines).ShouldContain(line => line.Contains(next.Id));
    }

    /// <summary>One rule of Azure writes the machine in lower case, the other as it was created: what was done was done on that machine.</summary>
    [Fact]
    public async Task OneAzureResourceInTwoCases_WasLookedAt()
    {
        var runbook = IntakeWorld.Runbook("any-vm", "{{ labels.resourceName }}", "azure-monitor", "*");
        _world.Runbooks[0] = runbook with
        {
            Mitigation = runbook.Mitigation with { Steps = [Given.Step("fix", with: new { name = "fix", text = "/subscriptions/{{ labels.subscription }}/resourceGroups/{{ labels.resourceGroup }}/{{ labels.resourceType }}/{{ labels.resourceName }}" })] },
            Limits = new() { HealthyFor = TimeSpan.Zero, SettleFor = TimeSpan.FromMinutes(10) },
        };
        await _world.PostAsync("azure-monitor", "02-casing-metric.json");
        await _world.PostAsync("azure-monitor", "02-casing-log.json");
        _world.World.Script.OnDone = _ => _world.World.Script.Verdicts["stuck"] = Verdict.Passing;

        (await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);

        _world.Only.FollowedBy.ShouldBeNull();
        (await _world.PostAsync("azure-monitor", "02-casing-log.json")).Id.ShouldBe(_world.Only.Id);
    }

    /// <summary>Whoever stopped it decides what comes next on its target, also where what was done could not be undone.</summary>
    [Theory]
    [InlineData(false, IncidentState.Cancelled)]
    [InlineData(true, IncidentState.Failed)]
    public async Task StoppedByAPerson_NothingElseIsDoneOnTheTarget(bool undoFails, IncidentState state)
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        await _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json");
        var id = _world.Only.Id;
        _world.World.Script.BeforeUndoing = _ => undoFails ? new IOException("no") : null;
        await _world.World.DecideAsync(id, DecisionVerb.Approve);

        await _world.World.StopAsync(id);

        (await _world.World.AdvanceAsync(id, TimeSpan.FromMinutes(10))).State.ShouldBe(state);
        _world.Only.FollowedBy.ShouldBeNull();
    }

    [Fact]
    public async Task StillFiringAfterANo_AsksAndSaysWhoSaidNo()
    {
        var first = await RejectedAsync();

        var next = _world.World.Store.All[^1];
        (next.FollowUpOf, next.EarlierNo?.Incident).ShouldBe((first.Id, first.Id));
        next.OpenGate!.Warnings.ShouldContain(next.EarlierNo!.Warning);
    }

    /// <summary>The note of it on the first is lost, and the activity runs again when people have dealt with the other.</summary>
    [Fact]
    public async Task IncidentOfItsOwnHasEnded_NoSecondOneIsOpenedForTheSameEnd()
    {
        var first = await RejectedAsync();
        await _world.World.DecideAsync(_world.World.Store.All[1].Id, DecisionVerb.Reject);

        await _world.World.Get<FollowUps>().OpenAsync(first with { FollowedBy = null }, _world.Runbooks[0], TestContext.Current.CancellationToken);

        _world.World.Store.All.Select(incident => incident.State).ShouldBe([IncidentState.Rejected, IncidentState.Rejected]);
    }

    /// <summary>Nobody was asked about it there: the incident that looks at it is where it is decided.</summary>
    [Fact]
    public async Task NoToTheFirst_IsNoneToTheOtherThatGotAnIncidentOfItsOwn()
    {
        var first = await RejectedAsync();
        var next = _world.World.Store.All[^1];
        (await _world.World.AdvanceAsync(next.Id, TimeSpan.FromMinutes(30))).State.ShouldBe(IncidentState.Expired);

        var repeated = (await _world.TakeAsync(next.Alert))[0];
        var repeatOfTheFirst = (await _world.TakeAsync(first.Alert))[0];

        repeated.Outcome.ShouldBe(IntakeResult.Opened);
        (repeatOfTheFirst.Outcome, repeatOfTheFirst.Id).ShouldBe((IntakeResult.Folded, first.Id));
    }

    [Fact]
    public async Task StillFiringAtTheEndWithTheSameParameters_IsSaidInTheClosingMessage()
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        await _world.TakeAsync(_world.Only.Alert with { Fingerprint = "another", Name = "DiskSlow", Summary = "The disk is slow" });

        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        _world.Only.FollowedBy.ShouldBeNull();
        _world.World.Notifier.Sent.Last(sent => sent.Card.Kind == CardKind.Closed).Card.Sections.SelectMany(section => section.Lines)
            .ShouldContain("DiskSlow (Sev2): The disk is slow. It still fires.");
    }

    [Theory]
    [InlineData(DecisionVerb.TakeOver, AlertStatus.Firing)]
    [InlineData(DecisionVerb.Reject, AlertStatus.Resolved)]
    public async Task TakenOverOrOver_OpensNothing(DecisionVerb verb, AlertStatus status)
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        await _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json");
        await _world.TakeAsync(_world.Only.Others[0].Alert! with { Status = status });

        await _world.World.DecideAsync(_world.Only.Id, verb);

        _world.Only.FollowedBy.ShouldBeNull();
    }

    /// <summary>Whoever took it over has answered for what was there. The sender may say only once what came later, and nobody else has heard of it.</summary>
    [Theory]
    [InlineData(false, 1, "It is closed. This firing of the alert asks again only if it becomes more severe.")]
    [InlineData(true, 2, "It is closed. DiskFull began after it was taken over; incident {next} looks at it. This firing of the alert asks again only if it becomes more severe.")]
    public async Task TakenOverAndClosed_WhatBeganAfterTheTakeOverGetsAnIncidentOfItsOwn(bool after, int incidents, string answer)
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        var owned = _world.Only.Id;
        await (after ? Task.CompletedTask : _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json"));
        await _world.World.DecideAsync(owned, DecisionVerb.TakeOver);
        _world.World.Time.Advance(TimeSpan.FromMinutes(1));
        await (after ? _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json") : Task.CompletedTask);
        var other = _world.Only.Others[0].Alert!;

        var receipt = await _world.World.Get<IncidentVerbService>().CloseAsync(owned, "ada", "cleaned /var", TestContext.Current.CancellationToken);
        await _world.World.Engine.SettleAsync();
        await _world.World.Get<IncidentVerbService>().FinishClosingAsync(receipt.Incident!, TestContext.Current.CancellationToken);

        _world.World.Store.All.Count.ShouldBe(incidents);
        var next = _world.World.Store.All[^1];
        receipt.Result.Message.ShouldBe(answer.Replace("DiskFull", other.Name, StringComparison.Ordinal).Replace("{next}", next.Id, StringComparison.Ordinal));
        if (after)
        {
            (next.State, next.FollowUpOf, next.Alert.Fingerprint).ShouldBe((IncidentState.AwaitingApproval, owned, other.Fingerprint));
            next.Timeline[0].What.ShouldBe($"{other.Name} still fired on this target when incident {owned} was closed by hand. It began after that had been taken over.");
        }

        (await _world.TakeAsync(other))[0].Id.ShouldBe(next.Id);
    }

    [Fact]
    public async Task MoreSevereThanWhatWasAskedAbout_IsToldAtOnceAndOnce()
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        var worse = _world.Only.Alert with { Fingerprint = "worse", Name = "DiskFull", Severity = "Sev0", Summary = "Nothing can be written" };
        var before = _world.World.Notifier.Sent.Count;

        await _world.TakeAsync(worse);
        await _world.TakeAsync(worse, worse with { Fingerprint = "mild", Severity = "Sev4" });

        var told = _world.World.Notifier.Sent.Skip(before).ShouldHaveSingleItem().Card;
        told.Title.ShouldStartWith("News: ");
        told.Sections.SelectMany(section => section.Lines).ShouldContain("A more severe alert on this target: DiskFull (Sev0): Nothing can be written.");
    }

    /// <summary>The question went out before the chat went down, so nothing else would say it.</summary>
    [Fact]
    public async Task MoreSevereWhileNobodyCanBeReached_IsToldOnceSomebodyCan()
    {
        // A reminder would say it as well.
        var approval = IntakeWorld.Disk().Mitigation.Approval! with { RemindAfter = null, Escalate = [], Timeout = TimeSpan.FromHours(2) };
        _world.Runbooks[0] = IntakeWorld.Disk() with { Mitigation = IntakeWorld.Disk().Mitigation with { Approval = approval } };
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        var worse = _world.Only.Alert with { Fingerprint = "worse", Name = "DiskFull", Severity = "Sev0", Summary = "Nothing can be written" };
        _world.World.Notifier.Failure = _ => new DeliveryException("is away.");
        await _world.TakeAsync(worse);
        _world.World.Notifier.Failure = _ => null;

        await _world.World.AdvanceAsync(_world.Only.Id, TimeSpan.FromMinutes(20));

        _world.World.Notifier.Sent.Count(sent => sent.Card.Title.StartsWith("News: ", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task MoreSevereTheMomentSomebodyDecides_AsksNobodyAfterwards()
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        var id = _world.Only.Id;
        var worse = _world.Only.Alert with { Fingerprint = "worse", Name = "DiskFull", Severity = "Sev0", Summary = "Nothing can be written" };
        _world.World.Notifier.Failure = _ => TakeOver(id);

        await _world.TakeAsync(worse);

        var news = _world.World.Notifier.Sent.Last(sent => sent.Card.Title.StartsWith("News: ", StringComparison.Ordinal)).Card.Key;
        _world.World.Notifier.Changed.Last(changed => changed.Key == news).Card.GateId.ShouldBeNull();
    }

    private Exception? TakeOver(string id)
    {
        var decision = new Decision(DecisionVerb.TakeOver, "ada", "api", _world.World.Time.GetUtcNow());
        _world.World.Store.UpdateAsync(id, i => i.Decide("mitigation-1", decision), CancellationToken.None).GetAwaiter().GetResult();
        return null;
    }

    [Fact]
    public void OtherAlerts_AreKeptWholeUpToABound()
    {
        var long1 = Given.Alert() with { Fingerprint = "long", Labels = new Dictionary<string, string> { ["text"] = new('x', Incident.MaxKeptText) } };
        var incident = Given.Incident(Given.Runbook()).Attach(long1, Given.Night);
        incident.Others.ShouldHaveSingleItem().Alert!.Labels.ShouldBeEmpty();

        incident = Enumerable.Range(0, 40).Aggregate(incident, (changed, i) => changed.Attach(Given.Alert() with { Fingerprint = $"{i}" }, Given.Night));

        incident.Others.Count(other => other.IsWhole).ShouldBe(Incident.MaxKeptWhole);
        incident.OtherLines().Count.ShouldBe(11);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task<Incident> RejectedAsync()
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        await _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json");
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);
        return _world.World.Store.All[0];
    }
}
