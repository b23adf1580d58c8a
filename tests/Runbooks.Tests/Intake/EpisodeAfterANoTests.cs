using Runbooks.Approvals;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>An alert comes and goes: a no holds for its episode.</summary>
public sealed class EpisodeAfterANoTests : EpisodeWorld
{
    [Fact]
    public async Task GroupIsSentAgainAfterANo_NobodyIsAskedAgain()
    {
        await _world.PostAsync("alertmanager", "04-group-resend-1.json");
        var rejected = _world.Only.Id;
        await _world.World.Get<ApprovalService>().DecideAsync(rejected, null, new(DecisionVerb.Reject, "ada", "api", "planned work on db-01"), TestContext.Current.CancellationToken);
        await _world.World.SettleAsync(rejected);

        var outcomes = await _world.PostAllAsync("alertmanager", "04-group-resend-2.json");
        await _world.PostAllAsync("alertmanager", "04-group-resend-3.json");

        outcomes.Select(outcome => outcome.Outcome).ShouldBe([IntakeResult.Folded, IntakeResult.Opened]);
        outcomes[0].Id.ShouldBe(rejected);
        outcomes[0].Reason!.ShouldContain("rejected by ada");
        var record = _world.World.Store.All.Single(incident => incident.Id == rejected);
        record.AlertCount.ShouldBe(3);
        record.Timeline.Count(line => line.What.Contains("does not ask again") && line.What.Contains("planned work on db-01")).ShouldBe(1);
    }

    [Theory]
    [InlineData(0, IntakeResult.Folded)]
    [InlineData(1, IntakeResult.Folded)]
    [InlineData(4, IntakeResult.Opened)]
    public async Task RepeatAfterTheEndOfARejectedEpisode_AsksOnlyIfItStartedAfterThatEnd(int startsAt, IntakeResult expected)
    {
        await _world.TakeAsync(Firing(0));
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);
        await _world.TakeAsync(Resolved(0, 3));

        (await _world.TakeAsync(Firing(startsAt)))[0].Outcome.ShouldBe(expected);
    }

    [Fact]
    public async Task AnotherIncidentOnTheTargetCameBetween_TheNoStillHolds()
    {
        await _world.TakeAsync(Firing(0));
        var rejected = _world.Only.Id;
        await _world.World.DecideAsync(rejected, DecisionVerb.Reject);
        await _world.TakeAsync(Firing(1) with { Fingerprint = "another" });

        (await _world.TakeAsync(Firing(0)))[0].Id.ShouldBe(rejected);
    }

    [Fact]
    public async Task EndOfAnAlertWhoseIncidentEndedBefore_IsKnownToItAlthoughAnotherIsNewer()
    {
        await _world.TakeAsync(Firing(0) with { StartsAt = null });
        var rejected = _world.Only.Id;
        await _world.World.DecideAsync(rejected, DecisionVerb.Reject);
        await _world.TakeAsync(Firing(1) with { Fingerprint = "another" });

        var ended = (await _world.TakeAsync(Resolved(0, 5) with { StartsAt = null, EndsAt = null }))[0];
        var again = (await _world.TakeAsync(Firing(0) with { StartsAt = null }))[0];

        (ended.Outcome, ended.Id).ShouldBe((IntakeResult.Resolved, rejected));
        _world.World.Store.All.Single(incident => incident.Id == rejected).AlertResolvedAt.ShouldNotBeNull();
        again.Id.ShouldNotBe(rejected);
        _world.World.Store.All.Single(incident => incident.Id != rejected).Others.ShouldHaveSingleItem().Resolved.ShouldBeFalse();
    }

    [Fact]
    public async Task StatelessAzureRuleAfterANo_DoesNotAskAgainForAWhile()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("queries", "{{ labels.resourceName }}", "azure-monitor", "*"));
        var fired = new Alert { Source = "azure-monitor", Name = "SlowQueries", Fingerprint = "1", Severity = "Sev2", Labels = new Dictionary<string, string> { ["resourceName"] = "sql-1" } };
        await world.TakeAsync(fired);
        var rejected = world.Only.Id;
        await world.World.DecideAsync(rejected, DecisionVerb.Reject);

        world.World.Time.Advance(TimeSpan.FromMinutes(45));
        var second = (await world.TakeAsync(fired with { Fingerprint = "2" }))[0];
        var worse = (await world.TakeAsync(fired with { Fingerprint = "3", Severity = "Sev1" }))[0];

        (second.Outcome, second.Id).ShouldBe((IntakeResult.Folded, rejected));
        second.Reason!.ShouldStartWith("It still fires and does not ask again: incident");
        worse.Outcome.ShouldBe(IntakeResult.Opened);
    }

    [Theory]
    [InlineData("another disk", 30)]
    [InlineData("a disk", 241)]
    public async Task StatelessAzureRuleAfterANo_AsksForSomethingElseAndInTheEnd(string disk, int minutes)
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("queries", "{{ labels.resourceName }}", "azure-monitor", "*"));
        var fired = new Alert { Source = "azure-monitor", Name = "SlowQueries", Fingerprint = "1", Labels = new Dictionary<string, string> { ["resourceName"] = "sql-1", ["disk"] = "a disk" } };
        await world.TakeAsync(fired);
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);

        world.World.Time.Advance(TimeSpan.FromMinutes(minutes));

        (await world.TakeAsync(fired with { Fingerprint = "2", Labels = new Dictionary<string, string> { ["resourceName"] = "sql-1", ["disk"] = disk } }))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    /// <summary>Taking back waits for the kill switch, and the rule fires on meanwhile.</summary>
    [Theory]
    [InlineData("a disk", "Sev2", 60, 1)]
    [InlineData("another disk", "Sev2", 60, 2)]
    [InlineData("a disk", "Sev1", 60, 2)]
    [InlineData("a disk", "Sev2", 250, 2)]
    public async Task StatelessAzureRuleWhileWhatAPersonStoppedIsTakenBack_IsHeldToTheNoToo(string disk, string severity, int minutes, int incidents)
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("queries", "{{ labels.resourceName }}", "azure-monitor", "*"));
        var fired = new Alert { Source = "azure-monitor", Name = "SlowQueries", Fingerprint = "1", Severity = "Sev2", Labels = new Dictionary<string, string> { ["resourceName"] = "sql-1", ["disk"] = "a disk" } };
        await world.TakeAsync(fired);
        var stopped = world.Only.Id;
        await world.World.DecideAsync(stopped, DecisionVerb.Approve);
        await world.World.Get<KillSwitch>().EngageAsync("bob", "hands off", TestContext.Current.CancellationToken);
        await world.World.Get<IncidentVerbService>().StopAsync(stopped, "ada", "enough", TestContext.Current.CancellationToken);
        await world.World.AdvanceAsync(stopped, TimeSpan.FromMinutes(5));
        await world.TakeAsync(fired with { Fingerprint = "2", Severity = severity, Labels = new Dictionary<string, string> { ["resourceName"] = "sql-1", ["disk"] = disk } });
        world.Only.Alerts.Count.ShouldBe(2);
        await world.World.AdvanceAsync(stopped, TimeSpan.FromMinutes(minutes));
        await world.World.Get<KillSwitch>().ReleaseAsync("bob", "go on", stop: null, TestContext.Current.CancellationToken);

        (await world.World.AdvanceAsync(stopped, TimeSpan.FromMinutes(40))).State.ShouldBe(IncidentState.Cancelled);

        world.World.Store.All.Count.ShouldBe(incidents);
    }

    [Fact]
    public async Task NewEpisode_AsksAndSaysWhoSaidNoWhenAndWhy()
    {
        await _world.TakeAsync(Firing(0));
        var rejected = _world.Only.Id;
        await _world.World.Get<ApprovalService>().DecideAsync(rejected, null, new(DecisionVerb.Reject, "ada", "api", "planned work"), TestContext.Current.CancellationToken);
        await _world.World.SettleAsync(rejected);

        var outcome = (await _world.TakeAsync(Firing(60)))[0];

        outcome.Outcome.ShouldBe(IntakeResult.Opened);
        var warning = $"The last decision on this target was a no: incident {rejected} was rejected by ada on 2026-11-23 at 03:00:00 UTC: planned work";
        var asked = _world.World.Store.All.Single(incident => incident.Id == outcome.Id);
        asked.OpenGate!.Warnings.ShouldContain(warning);
        asked.Timeline.ShouldContain(line => line.What == warning);
    }

    [Fact]
    public async Task ClosedByHandAfterATakeOver_TheSameEpisodeDoesNotAskAgain()
    {
        await _world.TakeAsync(Firing(0));
        var owned = _world.Only.Id;
        await _world.World.DecideAsync(owned, DecisionVerb.TakeOver);
        await _world.World.Get<IncidentVerbService>().CloseAsync(owned, "ada", "done", TestContext.Current.CancellationToken);

        var outcome = (await _world.TakeAsync(Firing(0)))[0];

        (outcome.Outcome, outcome.Id).ShouldBe((IntakeResult.Folded, owned));
        outcome.Reason!.ShouldContain("closed by hand by ada");
        (await _world.TakeAsync(Firing(60)))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CancelledByAPerson_TheSameEpisodeDoesNotAskAgain(bool undoFails)
    {
        await _world.TakeAsync(Firing(0));
        var cancelled = _world.Only.Id;
        if (undoFails)
        {
            _world.World.Script.BeforeUndoing = _ => new InvalidOperationException("no");
            await _world.World.DecideAsync(cancelled, DecisionVerb.Approve);
        }

        await _world.World.Get<IncidentVerbService>().StopAsync(cancelled, "ada", "planned work", TestContext.Current.CancellationToken);
        var ended = await _world.World.AdvanceAsync(cancelled, TimeSpan.FromMinutes(10));
        ended.State.ShouldBe(undoFails ? IncidentState.Failed : IncidentState.Cancelled);

        var repeated = (await _world.TakeAsync(Firing(0)))[0];
        var next = (await _world.TakeAsync(Firing(60)))[0];

        (repeated.Outcome, repeated.Id).ShouldBe((IntakeResult.Folded, cancelled));
        repeated.Reason!.ShouldContain("stopped by ada");
        next.Outcome.ShouldBe(IntakeResult.Opened);
        _world.World.Store.All.Single(incident => incident.Id == next.Id).OpenGate!.Warnings[0].ShouldEndWith("stopped by ada on 2026-11-23 at 03:00:00 UTC: planned work");
    }

    /// <summary>Taking back waits for the kill switch, and the sender says it once.</summary>
    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public async Task BeginsAnewWhileWhatAPersonStoppedIsTakenBack_GetsAnIncidentThatAsks(bool anew, int incidents)
    {
        await _world.TakeAsync(Firing(0));
        var stopped = _world.Only.Id;
        await _world.World.DecideAsync(stopped, DecisionVerb.Approve);
        await _world.TakeAsync(Resolved(0, 110));
        await _world.World.Get<KillSwitch>().EngageAsync("bob", "hands off", TestContext.Current.CancellationToken);
        await _world.World.Get<IncidentVerbService>().StopAsync(stopped, "ada", "enough", TestContext.Current.CancellationToken);
        await _world.World.AdvanceAsync(stopped, TimeSpan.FromMinutes(60));
        await _world.TakeAsync(Firing(anew ? 170 : 0));
        await _world.World.Get<KillSwitch>().ReleaseAsync("bob", "go on", stop: null, TestContext.Current.CancellationToken);

        (await _world.World.AdvanceAsync(stopped, TimeSpan.FromMinutes(40))).State.ShouldBe(IncidentState.Cancelled);

        _world.World.Store.All.Count.ShouldBe(incidents);
        if (anew)
        {
            var next = _world.World.Store.All[^1];
            (next.FollowUpOf, next.EarlierNo?.Incident, next.Alert.StartsAt).ShouldBe((stopped, stopped, s_start.AddMinutes(170)));
            next.Gates[0].Warnings.ShouldContain(next.EarlierNo!.Warning);
        }
    }

    /// <summary>The second step's target had changed, so it was asked about anew; what the first had done could not be undone after the no.</summary>
    [Fact]
    public async Task RejectedAndNotUndone_TheSameEpisodeDoesNotAskAgain()
    {
        var runbook = Given.Runbook();
        _world.Runbooks[1] = runbook with { Mitigation = runbook.Mitigation with { Steps = [Given.Step("cordon"), Given.Step("drain")] } };
        await _world.TakeAsync(Firing(0));
        var rejected = _world.Only.Id;
        _world.World.Script.OnDone = _ => _world.World.Script.Identities["drain"] = "another";
        _world.World.Script.BeforeUndoing = _ => new Catalog.Steps.ChangedSinceException("somebody else changed it since");
        await _world.World.DecideAsync(rejected, DecisionVerb.Approve);
        (await _world.World.DecideAsync(rejected, DecisionVerb.Reject)).Incident.State.ShouldBe(IncidentState.Failed);

        var repeated = (await _world.TakeAsync(Firing(0)))[0];

        (repeated.Outcome, repeated.Id).ShouldBe((IntakeResult.Folded, rejected));
        repeated.Reason!.ShouldContain("rejected by alice");
    }

    [Fact]
    public async Task SenderWithoutStarts_IsHeldToTheNoForAWhile()
    {
        await _world.TakeAsync(Given.Alert());
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        (await _world.TakeAsync(Given.Alert()))[0].Outcome.ShouldBe(IntakeResult.Folded);
        _world.World.Time.Advance(TimeSpan.FromHours(5));
        (await _world.TakeAsync(Given.Alert()))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }
}
