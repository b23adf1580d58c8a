using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using TestKit;
using TestKit.Engine;
using TestKit.Storage;

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
    public async Task ListedAlertsAreOverButNotAllAreListed_IsNotRecovered()
    {
        var alerts = Enumerable.Range(0, Incident.MaxListed + 1).Select(i => Some.Alert() with { Fingerprint = $"f-{i}" }).ToList();
        await _intake.ReceiveAsync(alerts, CancellationToken.None);

        await _intake.ReceiveAsync([.. alerts.Take(Incident.MaxListed).Select(alert => alert with { Status = AlertStatus.Resolved })], CancellationToken.None);

        _store.All.ShouldHaveSingleItem().AlertResolvedAt.ShouldBeNull();
    }
}
