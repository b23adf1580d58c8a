using Runbooks.Approvals;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Watchdog;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>An alert that comes and goes is one thread for whoever is asked, and its record stays small.</summary>
public sealed partial class FlappingTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(services => services.AddWatchdog(), Given.Runbook() with { Diagnosis = [Given.Check("stuck")], Resolution = new() });
    private int _episode;

    [Fact]
    public async Task ShortIncidentsInARow_BecomeOneThatStaysOpenAndSaysHowOften()
    {
        for (var n = 0; n < 5; n++)
        {
            await FlapAsync();
        }

        _world.World.Store.All.Select(incident => incident.State).ShouldBe([IncidentState.SelfRecovered, IncidentState.SelfRecovered, IncidentState.AwaitingApproval]);
        var last = _world.World.Store.All[^1];
        last.ThreadOf.ShouldBe(_world.World.Store.All[0].Id);
        last.RecurrenceLines().ShouldBe(["InferenceRequestsStuck: 5 times since 03:00 UTC; each lasted under 3 minutes."]);
        last.Timeline.Count(line => line.What.Contains("comes and goes")).ShouldBe(1);
        Sent(CardKind.ApprovalRequest).ShouldBe(3);
        _world.World.Notifier.Sent.Last(sent => sent.Card.Kind == CardKind.ApprovalRequest).Card.Sections.Single(section => section.Heading == "How often").Lines
            .ShouldBe(["InferenceRequestsStuck: 3rd time since 03:00 UTC; each of the 2 before lasted under 3 minutes."]);
        _world.World.Notifier.Sent.Last().Card.Thread.ShouldBe(_world.World.Store.All[0].Id);
    }

    [Fact]
    public async Task QuietForAWhile_EndsByItself()
    {
        await FlapAsync();
        await FlapAsync();
        await FlapAsync();
        var held = _world.World.Store.All[^1].Id;
        Checks(passing: true);

        (await _world.World.AdvanceAsync(held, TimeSpan.FromMinutes(11))).State.ShouldBe(IncidentState.AwaitingApproval);
        var ended = await _world.World.AdvanceAsync(held, TimeSpan.FromMinutes(5));

        ended.State.ShouldBe(IncidentState.SelfRecovered);
        ended.Reason!.ShouldEndWith("InferenceRequestsStuck: 3 times since 03:00 UTC; each lasted under 3 minutes.");
        Sent(CardKind.Reminder).ShouldBe(0);
    }

    [Fact]
    public async Task ChecksThatPassEachTime_AreAskedOnUntilItIsQuiet()
    {
        Checks(passing: true);
        await FlapAsync();
        await FlapAsync();
        await FlapAsync();

        var watched = _world.World.Store.All[^1];
        (_world.World.Store.All.Count, watched.State).ShouldBe((3, IncidentState.Diagnosing));
        watched.Reason!.ShouldContain("comes and goes");
        (await _world.World.AdvanceAsync(watched.Id, TimeSpan.FromMinutes(20))).State.ShouldBe(IncidentState.NotNeeded);
        Sent(CardKind.ApprovalRequest).ShouldBe(0);
    }

    /// <summary>The checks see nothing, and the alert fires on: one of the two is wrong, and people hear of it.</summary>
    [Fact]
    public async Task ChecksThatPassWhileItFiresOn_PeopleAreToldAtTheEnd()
    {
        Checks(passing: true);
        await FlapAsync();
        await FlapAsync();
        await FireAsync();
        var watched = _world.World.Store.All[^1].Id;

        (await _world.World.AdvanceAsync(watched, TimeSpan.FromMinutes(20))).State.ShouldBe(IncidentState.Diagnosing);
        Sent(CardKind.Closed).ShouldBe(0);
        var ended = await _world.World.AdvanceAsync(watched, TimeSpan.FromMinutes(40));

        ended.State.ShouldBe(IncidentState.NotNeeded);
        ended.Reason!.ShouldContain("The sender has not said that the alert is over.");
        ended.Reason!.ShouldContain("times within");
        Sent(CardKind.Closed).ShouldBe(1);
    }

    [Fact]
    public async Task ChecksThatFailWhileItIsWatched_AreAskedAbout()
    {
        Checks(passing: true);
        await FlapAsync();
        await FlapAsync();
        await FireAsync();
        var watched = _world.World.Store.All[^1].Id;

        Checks(passing: false);
        var asked = await _world.World.AdvanceAsync(watched, TimeSpan.FromMinutes(2));

        (asked.State, asked.Reason, asked.Findings[0].Verdict).ShouldBe((IncidentState.AwaitingApproval, null, Verdict.Failing));
    }

    [Fact]
    public async Task WatchedIncidentIsCancelled_EndsAsCancelled()
    {
        Checks(passing: true);
        await FlapAsync();
        await FlapAsync();
        await FlapAsync();
        var watched = _world.World.Store.All[^1].Id;

        await _world.World.Get<IncidentVerbService>().StopAsync(watched, "ada", "enough", TestContext.Current.CancellationToken);

        (await _world.World.AdvanceAsync(watched, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.Cancelled);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ThreeThousandFlapsOfAnOpenIncident_StaySmall(bool newIdentities)
    {
        _world.Runbooks[0] = _world.Runbooks[0] with { Mitigation = _world.Runbooks[0].Mitigation with { Approval = Given.Approval() with { Timeout = TimeSpan.FromDays(2), Escalate = [], RemindAfter = null } } };
        await _world.TakeAsync(Firing());
        await _world.TakeAsync(Over());
        var id = _world.Only.Id;
        _episode++;
        for (var n = 0; n < 3_000; n++)
        {
            var identity = newIdentities ? $"f-{n}" : "f1";
            await _world.World.Get<IncidentIntake>().ReceiveAsync([Firing() with { Fingerprint = identity }, Over() with { Fingerprint = identity }], TestContext.Current.CancellationToken);
            _episode++;
            if (n % 100 == 0)
            {
                await _world.World.AdvanceAsync(id, TimeSpan.FromSeconds(20));
            }
        }

        var incident = await _world.World.SettleAsync(id);
        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.Recurrences.ShouldHaveSingleItem().Times.ShouldBe(3_001);
        incident.AlertCount.ShouldBe(6_002);
        incident.Timeline.Count.ShouldBeLessThan(40);
        incident.Alerts.Count.ShouldBeLessThanOrEqualTo(Incident.MaxListed);
        (await _world.World.Engine.HistoryAsync(id)).Count.ShouldBeLessThan(1_000);
        _world.World.Notifier.Sent.Count.ShouldBeLessThan(5);
        incident.AlertResolvedAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task SixAlertsThatTakeTurns_FiveOfThemAreCountedAndFlap()
    {
        for (; _episode < 18; _episode++)
        {
            var disk = $"/disk-{_episode % 6}";
            await _world.TakeAsync(OfDisk(Firing(), disk), OfDisk(Over(), disk));
        }

        _world.Only.Recurrences.Select(recurrence => recurrence.Times).ShouldBe([3, 3, 3, 3, 3]);
        _world.Only.Timeline.Count(line => line.What.Contains("comes and goes")).ShouldBe(5);
    }

    [Fact]
    public async Task MoreSevereWhileItFlaps_IsToldAtOnce()
    {
        await FlapAsync();
        await FlapAsync();
        await FireAsync(alert => alert with { Severity = "warning" });
        var before = _world.World.Notifier.Sent.Count;

        await _world.TakeAsync(Firing() with { Fingerprint = "f2", Severity = "critical", Summary = "gone for good" });

        _world.World.Notifier.Sent.Skip(before).ShouldContain(sent => sent.Card.Title.StartsWith("News: "));
    }

    /// <summary>Three disks of one machine, each for the first time.</summary>
    [Fact]
    public async Task AnotherAlertOfTheSameName_IsNotTheFirstComeAgain()
    {
        foreach (var disk in (string[])["/var", "/tmp", "/data"])
        {
            await FireAsync(alert => OfDisk(alert, disk));
            Checks(passing: true);
            await _world.TakeAsync(OfDisk(Over(), disk));
            await _world.World.AdvanceAsync(_world.World.Store.All[^1].Id, TimeSpan.FromMinutes(2));
            Checks(passing: false);
            _episode++;
        }

        _world.World.Store.All.Select(incident => incident.State).ShouldBe([IncidentState.SelfRecovered, IncidentState.SelfRecovered, IncidentState.SelfRecovered]);
        _world.World.Store.All.ShouldAllBe(incident => incident.RecurrenceLines().Count == 0 && incident.ThreadOf == null);
    }

    [Fact]
    public async Task AnotherAlertOfTheSameNameWhileTheFirstFlaps_IsInTheTimeline()
    {
        await FlapAsync();
        await FlapAsync();
        await FireAsync();

        await _world.TakeAsync(OfDisk(Firing(), "/tmp") with { Summary = "/tmp is full" });
        await _world.TakeAsync(OfDisk(Over(), "/tmp"));
        await _world.TakeAsync(OfDisk(Firing(), "/tmp") with { StartsAt = _world.World.Time.GetUtcNow().AddMinutes(-1) });

        _world.World.Store.All[^1].Timeline.Select(line => line.What).Where(what => what.StartsWith("Another alert", StringComparison.Ordinal) || what.EndsWith("fires again.", StringComparison.Ordinal))
            .ShouldBe(["Another alert on this target: InferenceRequestsStuck (critical): /tmp is full.", "InferenceRequestsStuck fires again."]);
    }

    [Fact]
    public async Task SlowComingAndGoing_IsNotFlapping()
    {
        for (var n = 0; n < 4; n++)
        {
            await FlapAsync();
            _world.World.Time.Advance(TimeSpan.FromMinutes(30));
        }

        _world.World.Store.All.ShouldAllBe(incident => incident.State == IncidentState.SelfRecovered);
        _world.World.Store.All[^1].RecurrenceLines().ShouldBe(["InferenceRequestsStuck: 4 times since 03:00 UTC; each lasted under 3 minutes."]);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    /// <summary>Fires, is over two minutes later, and stays so for two minutes.</summary>
    private async Task FlapAsync()
    {
        await FireAsync();
        await EndAsync();
    }

    private async Task<IntakeOutcome> FireAsync(Func<Alert, Alert>? change = null)
    {
        var outcome = (await _world.TakeAsync((change ?? (alert => alert))(Firing())))[0];
        await _world.World.AdvanceAsync(outcome.Id!, TimeSpan.FromMinutes(2));
        return outcome;
    }

    private async Task EndAsync()
    {
        var passing = _world.World.Script.Verdicts.GetValueOrDefault("stuck", Verdict.Failing);
        Checks(passing: true);
        await _world.TakeAsync(Over());
        await _world.World.AdvanceAsync(_world.World.Store.All[^1].Id, TimeSpan.FromMinutes(2));
        _world.World.Script.Verdicts["stuck"] = passing;
        _episode++;
    }

    private void Checks(bool passing) => _world.World.Script.Verdicts["stuck"] = passing ? Verdict.Passing : Verdict.Failing;

    private int Sent(CardKind kind) => _world.World.Notifier.Sent.Count(sent => sent.Card.Kind == kind);

    private static Alert OfDisk(Alert alert, string disk) => alert with { Fingerprint = disk, Labels = new Dictionary<string, string>(alert.Labels) { ["mountpoint"] = disk } };

    private Alert Firing() => Given.Alert() with { StartsAt = Given.Night.AddMinutes(4 * _episode) };

    private Alert Over() => Firing() with { Status = AlertStatus.Resolved, EndsAt = Firing().StartsAt!.Value.AddMinutes(2) };
}
