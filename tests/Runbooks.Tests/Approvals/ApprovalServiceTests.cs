using Microsoft.Extensions.Time.Testing;
using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using TestKit;
using TestKit.Engine;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.Tests.Approvals;

public sealed class ApprovalServiceTests
{
    private readonly FakeTimeProvider _time;
    private readonly InMemoryIncidentStore _store;
    private readonly RecordingEngine _engine;
    private readonly ApprovalService _approvals;
    private readonly IncidentVerbService _verbs;

    public ApprovalServiceTests()
    {
        var office = new ApprovalOffice();
        (_time, _store, _engine, _approvals, _verbs) = (office.Time, office.Store, office.Engine, office.Approvals, office.Verbs);
    }

    [Fact]
    public async Task Decision_IsRecordedFirstThenTheWorkflowIsWoken()
    {
        var id = await OpenAsync(Some.Waiting());

        var receipt = await DecideAsync(id, DecisionVerb.Approve, "ada");

        receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
        _store.All[0].LatestGate!.Outcome.ShouldBe(GateOutcome.Approved);
        _engine.Woken.ShouldHaveSingleItem().ShouldBe((id, "wake-1"));
    }

    [Fact]
    public async Task LostWakeUp_DoesNotLoseTheDecision()
    {
        var id = await OpenAsync(Some.Waiting());
        _engine.WakeFault = () => new IOException("hub is away");

        var receipt = await DecideAsync(id, DecisionVerb.Approve, "ada");

        receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
        _store.All[0].LatestGate!.Outcome.ShouldBe(GateOutcome.Approved);
    }

    [Fact]
    public async Task HundredPeopleAtOnce_GiveOneDecision()
    {
        var id = await OpenAsync(Some.Waiting());

        var receipts = await Task.WhenAll(Enumerable.Range(0, 100).Select(n =>
            DecideAsync(id, n % 2 == 0 ? DecisionVerb.Approve : DecisionVerb.Reject, $"person-{n}")));

        var gate = _store.All[0].LatestGate.ShouldNotBeNull();
        var winner = gate.Decisions.ShouldHaveSingleItem();
        receipts.Count(r => r.Result.Status == DecisionStatus.Decided).ShouldBe(1);
        receipts.Where(r => r.Result.Status == DecisionStatus.AlreadyClosed).ShouldAllBe(r => r.Result.Message.Contains(winner.Person));
        _engine.Woken.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Quorum_CountsPeopleNotClicks()
    {
        var id = await OpenAsync(Some.Waiting(gate: Some.Gate() with { Required = 2 }));

        (await DecideAsync(id, DecisionVerb.Approve, "ada")).Result.Status.ShouldBe(DecisionStatus.MoreNeeded);
        (await DecideAsync(id, DecisionVerb.Approve, "Ada")).Result.Status.ShouldBe(DecisionStatus.AlreadyCounted);
        (await DecideAsync(id, DecisionVerb.Approve, "grace")).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    [Fact]
    public async Task DecisionAfterTheExpiry_DoesNotCount()
    {
        var id = await OpenAsync(Some.Waiting());
        _time.Advance(TimeSpan.FromMinutes(20));

        var receipt = await DecideAsync(id, DecisionVerb.Approve, "ada");

        receipt.Result.Status.ShouldBe(DecisionStatus.AlreadyClosed);
        receipt.Result.Message.ShouldContain("03:32:00 UTC");
        _engine.Woken.ShouldBeEmpty();
    }

    [Fact]
    public async Task NoSuchIncident_IsSaid() =>
        (await DecideAsync("nope", DecisionVerb.Approve, "ada")).Result.Status.ShouldBe(DecisionStatus.NotFound);

    [Fact]
    public async Task IncidentThatAsksNothing_IsSaid()
    {
        var id = await OpenAsync(Some.Incident());

        (await DecideAsync(id, DecisionVerb.Approve, "ada")).Result.ShouldBe(new(DecisionStatus.NothingAsked, $"Incident {id} asks nothing at the moment: Diagnosing."));
    }

    [Fact]
    public async Task Stop_IsRecordedClosesTheQuestionAndWakes()
    {
        var id = await OpenAsync(Some.Waiting());

        var receipt = await StopAsync(id);

        receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
        _store.All[0].Stop.ShouldBe(new StopRequest("ada", "false alarm", Some.Time) { BeforeResolution = true });
        _engine.Woken.Count.ShouldBe(1);
        var late = await DecideAsync(id, DecisionVerb.Approve, "grace");
        late.Result.Status.ShouldBe(DecisionStatus.AlreadyClosed);
        late.Result.Message.ShouldContain("ada stopped the incident: false alarm");
    }

    [Fact]
    public async Task SecondStop_IsToldOfTheFirst()
    {
        var id = await OpenAsync(Some.Waiting());
        await StopAsync(id);

        (await StopAsync(id)).Result.Message.ShouldContain("ada asked for this at 03:12:00 UTC");
        Incident.FindBreak(id, _store.All[0].Timeline).ShouldBeNull();
    }

    [Fact]
    public async Task StopOfAnEndedIncident_IsToldHowItEnded()
    {
        var id = await OpenAsync(Some.Incident() with { State = IncidentState.Resolved, ClosedAt = Some.Time, Reason = "The fix was verified." });

        var receipt = await StopAsync(id);

        receipt.Result.Status.ShouldBe(DecisionStatus.AlreadyClosed);
        receipt.Result.Message.ShouldContain("ended at 2026-11-23 03:12:00 UTC: Told, nothing changed. The fix was verified.");
        _store.All[0].Stop.ShouldBeNull();
    }

    private async Task<string> OpenAsync(Incident incident) =>
        (await _store.OpenAsync(incident, Some.Runbook(), _ => null, TestContext.Current.CancellationToken)).Incident.Id;

    private Task<DecisionReceipt> DecideAsync(string id, DecisionVerb verb, string person) =>
        _approvals.DecideAsync(id, null, new DecisionRequest(verb, person, "api"), TestContext.Current.CancellationToken);

    private Task<DecisionReceipt> StopAsync(string id) => _verbs.StopAsync(id, "ada", "false alarm", TestContext.Current.CancellationToken);
}
