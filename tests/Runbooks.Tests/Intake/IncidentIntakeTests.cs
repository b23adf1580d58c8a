using System.Collections.Concurrent;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using TestKit.Engine;
using TestKit.Storage;

namespace Runbooks.Tests.Intake;

public sealed class IncidentIntakeTests
{

    private readonly FakeTimeProvider _time = new(Some.Time);
    private readonly InMemoryIncidentStore _store = new();
    private readonly RecordingEngine _engine;
    private readonly IncidentIntake _intake;
    private List<Runbook> _runbooks = [Some.Runbook()];

    public IncidentIntakeTests()
    {
        _engine = new RecordingEngine(_time);
        _intake = SomeIntake.On(() => _runbooks, _store, _engine, _time);
    }

    [Fact]
    public async Task FirstAlert_OpensAnIncidentAndStartsIt()
    {
        var outcome = (await TakeAsync(Some.Alert())).ShouldHaveSingleItem();

        outcome.Outcome.ShouldBe(IntakeResult.Opened);
        outcome.Target.ShouldBe("inference/llm-b-0");
        var incident = _store.All.ShouldHaveSingleItem();
        incident.Id.ShouldBe(outcome.Id);
        incident.Id.ShouldMatch("^261123-0312-[0-9a-z]{8}$");
        incident.RunbookHash.ShouldBe("hash-of-hanged-gpu");
        incident.AlertCount.ShouldBe(1);
        _engine.Started.ShouldHaveSingleItem().IncidentId.ShouldBe(incident.Id);
    }

    [Fact]
    public async Task SameTargetAgain_FoldsAndCounts()
    {
        await TakeAsync(Some.Alert());
        var outcome = (await TakeAsync(Some.Alert("HighLatency_Other"))).ShouldHaveSingleItem();

        outcome.Outcome.ShouldBe(IntakeResult.Folded);
        outcome.Reason.ShouldNotBeNull().ShouldContain("number 2");
        var incident = _store.All.ShouldHaveSingleItem();
        incident.Alerts.Select(a => a.Name).ShouldBe(["HighLatency_Cluster_B", "HighLatency_Other"]);
        _engine.Started.Count.ShouldBe(1);
    }

    [Fact]
    public async Task AnotherTarget_NeverFolds()
    {
        await TakeAsync(Some.Alert(pod: "llm-b-0"), Some.Alert(pod: "llm-b-1"));

        _store.All.Select(i => i.Target).ShouldBe(["inference/llm-b-0", "inference/llm-b-1"], ignoreOrder: true);
    }

    [Fact]
    public async Task HundredAlertsAtOnceOnOneTarget_GiveOneIncident()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => TakeAsync(Some.Alert())));

        outcomes.SelectMany(o => o).Count(o => o.Outcome == IntakeResult.Opened).ShouldBe(1);
        _store.All.ShouldHaveSingleItem().AlertCount.ShouldBe(100);
        _engine.Started.Count.ShouldBe(1);
    }

    [Fact]
    public async Task DuplicatesInOnePost_OpenOnceAndAnswerEach()
    {
        var outcomes = await TakeAsync(Some.Alert(), Some.Alert(), Some.Alert());

        outcomes.Select(o => o.Outcome).ShouldBe([IntakeResult.Opened, IntakeResult.Folded, IntakeResult.Folded]);
        _store.All.ShouldHaveSingleItem().AlertCount.ShouldBe(3);
    }

    [Fact]
    public async Task AlertAndItsEndInOnePost_KeepTheirOrder()
    {
        var outcomes = await TakeAsync(Some.Alert(), Some.Alert() with { Status = AlertStatus.Resolved });

        outcomes.Select(o => o.Outcome).ShouldBe([IntakeResult.Opened, IntakeResult.Resolved]);
        _store.All.ShouldHaveSingleItem().AlertResolvedAt.ShouldBe(Some.Time);
    }

    [Fact]
    public async Task ResolvedAlert_ReachesItsIncidentAndWakesIt()
    {
        await TakeAsync(Some.Alert());
        var id = _store.All[0].Id;
        await _store.UpdateAsync(id, i => i with { WakeEvent = "wake-3" }, Ct);

        var outcome = (await TakeAsync(Some.Alert() with { Status = AlertStatus.Resolved })).ShouldHaveSingleItem();

        outcome.ShouldBe(new IntakeOutcome(id, "hanged-gpu", "inference/llm-b-0", IntakeResult.Resolved, null));
        _engine.Woken.ShouldHaveSingleItem().ShouldBe((id, "wake-3"));
    }

    [Fact]
    public async Task ResolvedAlertWhoseWakeUpFails_IsStillRecorded()
    {
        await TakeAsync(Some.Alert());
        await _store.UpdateAsync(_store.All[0].Id, i => i with { WakeEvent = "wake-3" }, Ct);
        _engine.WakeFault = () => new IOException("down");

        var outcome = (await TakeAsync(Some.Alert() with { Status = AlertStatus.Resolved })).ShouldHaveSingleItem();

        outcome.Outcome.ShouldBe(IntakeResult.Resolved);
        _store.All[0].AlertResolvedAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task ResolvedAlertWithoutIncident_IsIgnoredWithAReason()
    {
        var outcome = (await TakeAsync(Some.Alert() with { Status = AlertStatus.Resolved })).ShouldHaveSingleItem();

        outcome.Outcome.ShouldBe(IntakeResult.Ignored);
        outcome.Reason.ShouldNotBeNullOrEmpty();
        _store.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task AlertThatNoRunbookIsFor_IsIgnoredWithAReason()
    {
        var outcome = (await TakeAsync(Some.Alert("DiskFull"))).ShouldHaveSingleItem();

        outcome.Outcome.ShouldBe(IntakeResult.Ignored);
        outcome.Reason.ShouldNotBeNull().ShouldContain("DiskFull");
    }

    [Fact]
    public async Task AlertForTwoRunbooks_OpensBoth()
    {
        _runbooks = [Some.Runbook(), Some.Runbook("reroute")];

        var outcomes = await TakeAsync(Some.Alert());

        outcomes.Select(o => o.Runbook).ShouldBe(["hanged-gpu", "reroute"], ignoreOrder: true);
        _store.All.Count.ShouldBe(2);
    }

    [Fact]
    public async Task MissingLabel_StillReachesAPerson()
    {
        await TakeAsync(Some.Alert() with { Labels = new Dictionary<string, string> { ["pod"] = "llm-b-0" } });

        _store.All.ShouldHaveSingleItem().Target.ShouldStartWith("?/llm-b-0 (HighLatency_Cluster_B, without labels.namespace, alert ");
    }

    [Fact]
    public async Task LongTargetsThatDifferBehindTheCut_StayApart()
    {
        var (a, b) = (new string('x', 1_000) + "a", new string('x', 1_000) + "b");
        await TakeAsync(Some.Alert(pod: a), Some.Alert(pod: b));

        _store.All.Count.ShouldBe(2);
        _store.All.ShouldAllBe(i => i.Target.Length <= 300);
    }

    [Fact]
    public async Task AlertSoonAfterTheFix_BelongsToTheClosedIncident()
    {
        await TakeAsync(Some.Alert());
        await _store.UpdateAsync(
            _store.All[0].Id, i => i with { State = IncidentState.Resolved, ClosedAt = Some.Time, SettlesAt = Some.Time.AddMinutes(10) }, Ct);
        _time.Advance(TimeSpan.FromMinutes(9));
        (await TakeAsync(Some.Alert()))[0].Outcome.ShouldBe(IntakeResult.Folded);

        _time.Advance(TimeSpan.FromMinutes(2));
        (await TakeAsync(Some.Alert()))[0].Outcome.ShouldBe(IntakeResult.Opened);
        _store.All.Count.ShouldBe(2);
    }

    /// <summary>A newer version ended its workflow, or somebody did: nobody would look whether the fix holds.</summary>
    [Theory]
    [InlineData(EngineStatus.Failed)]
    [InlineData(EngineStatus.Completed)]
    public async Task AlertSoonAfterTheFixWhoseWorkflowHasEnded_OpensANewIncident(EngineStatus status)
    {
        await TakeAsync(Some.Alert());
        var fixedOne = _store.All[0].Id;
        await _store.UpdateAsync(
            fixedOne, i => i with { State = IncidentState.Resolved, ClosedAt = Some.Time, SettlesAt = Some.Time.AddMinutes(10), WakeEvent = "wake-9" }, Ct);
        _engine.Report(new EngineInstance(fixedOne, status, Some.Time));
        _time.Advance(TimeSpan.FromMinutes(1));

        var outcome = (await TakeAsync(Some.Alert())).ShouldHaveSingleItem();

        outcome.Outcome.ShouldBe(IntakeResult.Opened);
        _engine.Started.Select(start => start.IncidentId).ShouldBe([fixedOne, outcome.Id!]);
        var before = await _store.GetAsync(fixedOne, Ct);
        (before.SettlesAt, before.WakeEvent).ShouldBe((null, null));
        before.Timeline[^1].What.ShouldStartWith("Alerts on the target belong to a new incident");
        (await TakeAsync(Some.Alert()))[0].Id.ShouldBe(outcome.Id);
    }

    [Fact]
    public async Task CrashBetweenRecordAndStart_IsHealedByTheSendersNextTry()
    {
        _engine.StartFault = () => new StoreUnavailableException("the disk is full");
        await Should.ThrowAsync<StoreUnavailableException>(() => TakeAsync(Some.Alert()));
        _engine.StartFault = null;
        _runbooks = [Some.Runbook() with { Hash = "edited" }];

        var outcome = (await TakeAsync(Some.Alert())).ShouldHaveSingleItem();

        outcome.Outcome.ShouldBe(IntakeResult.Folded);
        var started = _engine.Started.ShouldHaveSingleItem();
        started.IncidentId.ShouldBe(outcome.Id);
        started.Runbook.Hash.ShouldBe("hash-of-hanged-gpu");
    }

    [Fact]
    public async Task StoreDown_ThrowsSoThatTheSenderTriesAgain()
    {
        _store.Fault = () => new StoreUnavailableException("no network");

        await Should.ThrowAsync<StoreUnavailableException>(() => TakeAsync(Some.Alert()));
    }

    [Fact]
    public async Task OneTargetFailing_DoesNotKeepTheOthersOut()
    {
        var calls = 0;
        _engine.StartFault = () => new StoreUnavailableException($"start {++calls}");
        await Should.ThrowAsync<StoreUnavailableException>(() => TakeAsync([.. Enumerable.Range(0, 40).Select(n => Some.Alert(pod: $"llm-b-{n}"))]));

        _store.All.Count.ShouldBe(40);
        calls.ShouldBe(40);
    }

    [Fact]
    public async Task ManyTargetsInOnePost_AreAllOnRecordBeforeTheFirstWorkflowBegins()
    {
        var onRecord = new ConcurrentQueue<int>();
        _engine.BeforeStart = () => onRecord.Enqueue(_store.All.Count);

        await TakeAsync([.. Enumerable.Range(0, 40).Select(n => Some.Alert(pod: $"llm-b-{n}"))]);

        onRecord.ShouldBe(Enumerable.Repeat(40, 40));
    }

    [Fact]
    public async Task OneTargetThatCannotBeTakenIn_TheOthersAreStarted()
    {
        // Each alert is looked up first; the next to ask is the one that has ended.
        var asked = 0;
        var flaky = new FlakyIncidentStore(_store, () => Interlocked.Increment(ref asked) == 41 ? FlakyIncidentStore.Fault.Before : FlakyIncidentStore.Fault.None);
        var alerts = Enumerable.Range(0, 40).Select(n => Some.Alert(pod: $"llm-b-{n}") with { Fingerprint = $"{n}", Status = n == 7 ? AlertStatus.Resolved : AlertStatus.Firing });

        await Should.ThrowAsync<StoreUnavailableException>(() => SomeIntake.On(() => _runbooks, flaky, _engine, _time).ReceiveAsync([.. alerts], Ct));

        _store.All.Count.ShouldBe(39);
        _engine.Started.Count.ShouldBe(39);
    }

    [Fact]
    public void AnyPost_GivesOneAnswerPerAlertAndOneIncidentPerTarget() =>
        Gen.Select(Gen.Int[0, 4], Gen.Bool).Array[0, 60].SampleAsync(async alerts =>
        {
            var fresh = new IncidentIntakeTests();
            var outcomes = await fresh.TakeAsync([.. alerts.Select(a =>
                Some.Alert(pod: $"p{a.Item1}") with { Status = a.Item2 ? AlertStatus.Firing : AlertStatus.Resolved })]);

            outcomes.Count.ShouldBe(alerts.Length);
            fresh._store.All.GroupBy(i => i.Target).ShouldAllBe(group => group.Count() == 1);
            fresh._store.All.Count.ShouldBe(alerts.Where(a => a.Item2).Select(a => a.Item1).Distinct().Count());
        }, iter: 100);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private Task<IReadOnlyList<IntakeOutcome>> TakeAsync(params Alert[] alerts) => _intake.ReceiveAsync(alerts, Ct);
}
