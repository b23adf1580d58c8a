using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using TestKit;
using TestKit.Engine;
using TestKit.Storage;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

public sealed class ManyAlertsTests
{
    private readonly FakeTimeProvider _time = new(Some.Time);
    private readonly InMemoryIncidentStore _store = new();
    private readonly RecordingEngine _engine;
    private readonly IncidentIntake _intake;

    public ManyAlertsTests()
    {
        _engine = new RecordingEngine(_time);
        _intake = SomeIntake.On(() => [Some.Runbook()], _store, _engine, _time);
    }

    [Fact]
    public async Task TenThousandAlertsOnTwoHundredTargets_AreTwoHundredIncidentsThatCountThemAll()
    {
        var posts = Enumerable.Range(0, 100).Select(post => Enumerable.Range(0, 100).Select(i => Some.Alert(pod: $"llm-b-{((post * 100) + i) % 200}")).ToList()).ToList();

        var outcomes = await Task.WhenAll(posts.Select(post => _intake.ReceiveAsync(post, CancellationToken.None)));

        _store.All.Count.ShouldBe(200);
        _store.All.ShouldAllBe(incident => incident.AlertCount == 50 && incident.Alerts.Count == 1 && incident.Alerts[0].Count == 50);
        _store.All.ShouldAllBe(incident => incident.Timeline.Count == 1);
        _engine.Started.Select(started => started.IncidentId).Distinct().Count().ShouldBe(200);
        outcomes.SelectMany(outcome => outcome).Count(outcome => outcome.Outcome == IntakeResult.Opened).ShouldBe(200);
        outcomes.SelectMany(outcome => outcome).Count(outcome => outcome.Outcome == IntakeResult.Folded).ShouldBe(9_800);
    }

    [Fact]
    public async Task EightyAlertsOnEightyTargets_AreTakenInSideBySide()
    {
        // None of the first sixteen starts is answered before all of them are on their way; one after the other they would wait for ever.
        var gathering = new GatheringEngine(16);
        var intake = SomeIntake.On(() => [Some.Runbook()], _store, gathering, _time);

        var outcomes = await intake.ReceiveAsync([.. Enumerable.Range(0, 80).Select(i => Some.Alert(pod: $"llm-b-{i}"))], CancellationToken.None).WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);

        outcomes.Count(outcome => outcome.Outcome == IntakeResult.Opened).ShouldBe(80);
        gathering.Started.ShouldBe(80);
    }

    private sealed class GatheringEngine(int crowd) : IIncidentEngine
    {
        private readonly TaskCompletionSource _all = new();
        private int _started;

        public int Started => _started;

        public Task StartAsync(IncidentInput input, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _started) == crowd)
            {
                _all.SetResult();
            }

            return _all.Task;
        }

        public Task WakeAsync(string incidentId, string eventName, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<EngineInstance?> FindAsync(string incidentId, CancellationToken cancellationToken) => Task.FromResult<EngineInstance?>(null);

        public Task ForgetAsync(string incidentId, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);
    }

    [Fact]
    public async Task ThousandsOfDifferentAlertsOnOneTarget_AreCountedAndDoNotBloatTheRecord()
    {
        for (var post = 0; post < 20; post++)
        {
            await _intake.ReceiveAsync([.. Enumerable.Range(0, 100).Select(i => Some.Alert() with { Fingerprint = $"f-{post}-{i}" })], CancellationToken.None);
        }

        var incident = _store.All.ShouldHaveSingleItem();
        incident.AlertCount.ShouldBe(2_000);
        incident.Alerts.Count.ShouldBe(Incident.MaxListed);
        incident.Unlisted.Count.ShouldBe(Incident.MaxUnlisted);
        incident.Timeline.Count.ShouldBeLessThanOrEqualTo(Incident.MaxListed + 1);
    }

    [Fact]
    public async Task AlertThatComesAndGoesForDays_DoesNotBloatTheRecord()
    {
        for (var i = 0; i < 500; i++)
        {
            await _intake.ReceiveAsync([Some.Alert(), Some.Alert() with { Status = AlertStatus.Resolved }], CancellationToken.None);
        }

        _store.All.ShouldHaveSingleItem().Timeline.Count.ShouldBeLessThanOrEqualTo(Incident.MaxTold + 1);
        _store.All[0].AlertResolvedAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task MoreThanAreListedAreOver_TheEndIsBelieved()
    {
        var alerts = Many(Incident.MaxListed + 1);
        await _intake.ReceiveAsync(alerts, CancellationToken.None);

        var partly = await _intake.ReceiveAsync([.. alerts.Take(Incident.MaxListed).Select(alert => alert with { Status = AlertStatus.Resolved })], CancellationToken.None);
        _store.All.ShouldHaveSingleItem().AlertResolvedAt.ShouldBeNull();
        var last = await _intake.ReceiveAsync([alerts[^1] with { Status = AlertStatus.Resolved }], CancellationToken.None);

        partly.Concat(last).ShouldAllBe(outcome => outcome.Outcome == IntakeResult.Resolved);
        _store.All[0].AlertResolvedAt.ShouldBe(Some.Time);
    }

    [Fact]
    public async Task EndOfOneThatTheRecordDoesNotKnow_SaysSo()
    {
        var alerts = Many(Incident.MaxListed + Incident.MaxUnlisted + 1);
        await _intake.ReceiveAsync(alerts, CancellationToken.None);

        var outcome = (await _intake.ReceiveAsync([alerts[^1] with { Status = AlertStatus.Resolved }], CancellationToken.None)).ShouldHaveSingleItem();

        outcome.Outcome.ShouldBe(IntakeResult.Folded);
        outcome.Reason.ShouldBe($"More different alerts came on this target than incident {outcome.Id} keeps on record, and it has none with this identity: this ends none. Its checks are asked when all that are on record are over.");
    }

    [Fact]
    public async Task MoreThanAreListedWereRejected_TheSameGroupDoesNotAskAgain()
    {
        await using var world = new IntakeWorld(Given.Runbook());
        var group = Enumerable.Range(0, 60).Select(i => Given.Alert() with { Fingerprint = $"r-{i}", StartsAt = Given.Night.AddHours(-1) }).ToArray();
        await world.TakeAsync(group);
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);

        var again = await world.TakeAsync(group);

        again.ShouldAllBe(outcome => outcome.Outcome == IntakeResult.Folded && outcome.Reason!.StartsWith("It still fires and does not ask again: ", StringComparison.Ordinal));
        (world.Only.State, world.Only.AlertCount).ShouldBe((IncidentState.Rejected, 120));
    }

    private static List<Alert> Many(int count) => [.. Enumerable.Range(0, count).Select(i => Some.Alert() with { Fingerprint = $"f-{i}" })];
}
