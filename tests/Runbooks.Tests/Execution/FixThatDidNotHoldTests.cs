using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake;
using TestKit.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Execution;

/// <summary>What the incident is about that opens when a verified fix does not hold: what fires now.</summary>
public sealed class FixThatDidNotHoldTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new(), Limits = new() { SettleFor = TimeSpan.FromMinutes(10) } };
    private readonly IntakeWorld _world = new(s_runbook);

    private IncidentWorld World => _world.World;

    /// <summary>As Azure Monitor does: each firing has an identity of its own.</summary>
    [Fact]
    public async Task FiresAgainUnderAnotherIdentity_NextOneIsAboutThatFiringAndHearsItsEnd()
    {
        await ResolvedAsync();
        await TakeAsync(Given.Alert() with { Status = AlertStatus.Resolved });
        World.Time.Advance(TimeSpan.FromMinutes(4));
        World.Script.Verdicts["stuck"] = Verdict.Failing;
        await TakeAsync(Given.Alert() with { Fingerprint = "f2" });
        var next = World.Store.All[^1];
        next.Alerts.Select(alert => alert.Fingerprint).ShouldBe(["f2"]);
        next.RecurrenceLines().ShouldHaveSingleItem().ShouldStartWith("InferenceRequestsStuck: 2nd time");

        World.Script.Verdicts["stuck"] = World.Script.Verdicts["full"] = Verdict.Passing;
        (await TakeAsync(Given.Alert() with { Fingerprint = "f2", Status = AlertStatus.Resolved })).Id.ShouldBe(next.Id);

        (await World.AdvanceAsync(next.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task FiresAgainAsALaterEpisode_ANoToTheNextOneHoldsForIt()
    {
        await ResolvedAsync();
        World.Time.Advance(TimeSpan.FromMinutes(8));
        World.Script.Verdicts["stuck"] = Verdict.Failing;
        var later = Given.Alert() with { StartsAt = World.Time.GetUtcNow() };
        await TakeAsync(later);
        var next = World.Store.All[^1].Id;
        await World.DecideAsync(next, DecisionVerb.Reject);
        World.Time.Advance(TimeSpan.FromHours(5));

        var repeated = await TakeAsync(later);

        (repeated.Outcome, repeated.Id).ShouldBe((IntakeResult.Folded, next));
    }

    [Fact]
    public async Task AnotherCameInTheWindowToo_NextOneHasBothAndIsNamedByWhatItWasOpenedFor()
    {
        await ResolvedAsync();
        World.Time.Advance(TimeSpan.FromMinutes(2));
        World.Script.Verdicts["stuck"] = Verdict.Failing;
        await _world.TakeAsync(Given.Alert() with { Name = "InferenceRequestsStuck2", Fingerprint = "other", Runbook = s_runbook.Id }, Given.Alert());

        World.Store.All[^1].Alerts.Select(alert => alert.Fingerprint).ShouldBe(["f1", "other"]);
    }

    [Fact]
    public async Task SenderSaysThatItIsOverAfterTheFix_IsNoRecurrence()
    {
        await ResolvedAsync();
        World.Time.Advance(TimeSpan.FromMinutes(2));
        World.Script.Verdicts["stuck"] = Verdict.Failing;

        await TakeAsync(Given.Alert() with { Status = AlertStatus.Resolved });

        World.Store.All.Count.ShouldBe(1);
        (await World.Get<RunHistoryStore>().ReadAsync(s_runbook.Id, CancellationToken.None)).Runs.ShouldHaveSingleItem().Outcome.ShouldBe(RunOutcome.Verified);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task ResolvedAsync()
    {
        await _world.TakeAsync(Given.Alert() with { StartsAt = Given.Night });
        World.Script.OnDone = _ => World.Script.Verdicts["stuck"] = Verdict.Passing;
        (await World.DecideAsync(_world.Only.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
    }

    private async Task<IntakeOutcome> TakeAsync(Alert alert) => (await _world.TakeAsync(alert)).ShouldHaveSingleItem();
}
