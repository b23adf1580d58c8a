using Runbooks.Guardrails;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake;
using TestKit.Incidents;

namespace Runbooks.Tests.Execution;

/// <summary>What a settle window asks where the checks that verified the fix are not the ones that the alert is about.</summary>
public sealed class SettleQuestionTests : IAsyncDisposable
{
    private static readonly Alert s_slow = Given.Alert() with { Name = "PodSlow" };
    private readonly IntakeWorld _world = new(Given.Runbook());

    /// <summary>The fix moved traffic away, and verify asks whether the other side works. Nothing is moved any more, so that says nothing.</summary>
    [Theory]
    [InlineData("down", "other", true)]
    [InlineData("slow", "other", true)]
    [InlineData("other", "down", false)]
    public async Task LeaseWasTakenBack_WhetherItsCauseIsBackIsAsked(string failing, string passing, bool opens)
    {
        var closed = await TakenBackAsync();
        (Verdicts[failing], Verdicts[passing]) = (Verdict.Failing, Verdict.Passing);

        await _world.TakeAsync(Given.Alert());

        _world.World.Store.All.Count.ShouldBe(opens ? 2 : 1);
        if (opens)
        {
            var next = _world.World.Store.All[^1];
            next.Timeline[0].What.ShouldStartWith($"The cause is back: the alert came again after incident {closed.Id} was resolved and its temporary fix taken back, and its checks fail. {failing}: failing");
            next.OpenGate!.Warnings.ShouldContain($"The cause is back: incident {closed.Id} on this target ended when it was gone.");
            next.Follows.ShouldBe(closed.Id);
            _world.World.Store.All[0].Timeline[^1].What.ShouldStartWith("The cause is back (");
            var run = (await _world.World.Get<RunHistoryStore>().ReadAsync(closed.RunbookId, CancellationToken.None)).Runs.ShouldHaveSingleItem();
            (run.Outcome, run.CauseBack).ShouldBe((RunOutcome.Verified, true), "it had helped, and was taken back");
        }
    }

    [Fact]
    public async Task LeaseWasTakenBackAndItsCauseCannotBeSeen_IsAskedOnAndSaidAtTheEnd()
    {
        var closed = await TakenBackAsync();
        Verdicts["down"] = Verdict.Unknown;
        await _world.TakeAsync(Given.Alert());
        _world.World.Store.All.Count.ShouldBe(1);

        await _world.World.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(11));

        _world.World.Store.All[^1].Timeline[0].What.ShouldContain("whether its cause is gone could not be found out. down: unknown");
    }

    /// <summary>One runbook for two alerts, and its fix was measured by the check of the first.</summary>
    [Theory]
    [InlineData("PodErrors", Verdict.Failing, true)]
    [InlineData("PodErrors", Verdict.Passing, false)]
    [InlineData("PodSlow", Verdict.Failing, false)]
    public async Task AlertThatItWasNotOpenedFor_IsAnsweredByWhatCallsForTheMitigation(string alert, Verdict errors, bool opens)
    {
        var closed = await FixedForSlowAsync();
        Verdicts["errors"] = errors;

        await _world.TakeAsync(s_slow with { Name = alert, Fingerprint = "f2" });

        _world.World.Store.All.Count.ShouldBe(opens ? 2 : 1);
        if (opens)
        {
            var next = _world.World.Store.All[^1];
            next.Timeline[0].What.ShouldStartWith($"PodErrors fires after incident {closed.Id} was resolved, for another alert.");
            (next.Follows, next.FollowUpOf, next.Alert.Name).ShouldBe((null, closed.Id, "PodErrors"));
            next.OpenGate!.Warnings.ShouldNotContain(warning => warning.Contains("did not hold"));
            (await _world.World.Get<RunHistoryStore>().ReadAsync(closed.RunbookId, TestContext.Current.CancellationToken)).Runs.ShouldHaveSingleItem().Outcome.ShouldBe(RunOutcome.Verified);
        }
    }

    /// <summary>Logs come late, and a mean is of a time: what was so before the fix does not call for it once more.</summary>
    /// <param name="from">The minute after the fix since which it was measured, or before it.</param>
    /// <param name="until">The minute until which it was.</param>
    [Theory]
    [InlineData(null, -1, false)]
    [InlineData(-7, 3, false)]
    [InlineData(null, 1, true)]
    [InlineData(1, 3, true)]
    public async Task AlertThatItWasNotOpenedFor_IsAnsweredByWhatWasMeasuredAfterTheFix(int? from, int until, bool opens)
    {
        var closed = await FixedForSlowAsync();
        var acted = closed.ActedAt!.Value;
        (Verdicts["errors"], _world.World.Script.Measured["errors"]) = (Verdict.Failing, acted.AddMinutes(until));
        if (from is { } since)
        {
            _world.World.Script.MeasuredFrom["errors"] = acted.AddMinutes(since);
        }

        await _world.TakeAsync(s_slow with { Name = "PodErrors", Fingerprint = "f2" });
        _world.World.Store.All.Count.ShouldBe(opens ? 2 : 1);

        if (!opens)
        {
            await _world.World.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(11));
            _world.World.Store.All[^1].Timeline[0].What.ShouldContain("whether that fix is enough could not be found out. errors: unknown (Measured ");
        }
    }

    /// <summary>One of the two is wrong: whoever was asked hears of it, once, and while it fires.</summary>
    [Theory]
    [InlineData("critical", "another", 1)]
    [InlineData("critical", "the same", 1)]
    [InlineData("warning", "the same", 0)]
    public async Task MoreSevereThanAllBefore_IsToldThoughTheChecksPass(string severity, string alert, int pages)
    {
        var mild = Given.Alert() with { Severity = "warning" };
        var closed = await FixedAsync(Given.Runbook(), mild);
        var later = mild with { Severity = severity, Fingerprint = alert == "another" ? "f2" : mild.Fingerprint };

        await _world.TakeAsync(later);
        await _world.World.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(1));
        await _world.TakeAsync(later);
        await _world.World.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(11));

        _world.World.Store.All.Count.ShouldBe(1);
        var told = _world.World.Notifier.Sent.Where(sent => sent.Card.Kind == CardKind.Page).ToList();
        told.Count(sent => sent.To == "oncall").ShouldBe(pages);
        told.ShouldAllBe(sent => sent.Card.Sections[0].Lines[0] == "A more severe alert on this target: InferenceRequestsStuck (critical). The checks that are asked while its fix settles do not fail.");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private System.Collections.Concurrent.ConcurrentDictionary<string, Verdict> Verdicts => _world.World.Script.Verdicts;

    /// <summary>As the shipped runbooks for outages and limits of a provider are: verify and the lease ask different checks.</summary>
    private Task<Incident> TakenBackAsync() => FixedAsync(Given.Runbook() with
    {
        Diagnosis = [Given.Check("down"), Given.Check("slow"), Given.Check("other")],
        Mitigation = Given.Runbook().Mitigation with
        {
            When = new(Quantifier.Any, ["down", "slow"]),
            Verify = new(["other"], TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5)),
            HoldUntil = new(["down"], TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), TimeSpan.FromSeconds(30)),
        },
    }, Given.Alert());

    private Task<Incident> FixedForSlowAsync() => FixedAsync(Given.Runbook() with
    {
        Trigger = [new("alertmanager", "Pod*", [], new Dictionary<string, string>())],
        Diagnosis = [Given.Check("slow"), Given.Check("errors")],
        Mitigation = Given.Runbook().Mitigation with { Verify = new(["slow"], TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5)) },
    }, s_slow);

    private async Task<Incident> FixedAsync(Runbook runbook, Alert alert)
    {
        _world.Runbooks[0] = runbook with { Resolution = new(), Limits = new() { HealthyFor = TimeSpan.Zero, SettleFor = TimeSpan.FromMinutes(10) } };
        await _world.TakeAsync(alert);
        _world.World.Script.OnDone = _ => runbook.Diagnosis.ToList().ForEach(check => Verdicts[check.Name] = Verdict.Passing);
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Approve);
        var closed = await _world.World.AdvanceAsync(_world.Only.Id, TimeSpan.FromMinutes(3));
        closed.State.ShouldBe(IncidentState.Resolved);
        return closed;
    }
}
