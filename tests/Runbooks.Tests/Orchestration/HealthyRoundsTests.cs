using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>Checks that see nothing to do right after an alert are not believed at once: one leads or lags the other.</summary>
public sealed partial class HealthyRoundsTests : IAsyncDisposable
{
    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(2);
    private static readonly Runbook s_runbook = Given.Runbook() with { Limits = new() { HealthyFor = s_window } };
    private readonly IncidentWorld _world = new();

    public HealthyRoundsTests() => _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;

    [Fact]
    public async Task HealthyOnTheFirstLook_IsLookedAtAgainBeforeItEnds()
    {
        var opened = await _world.OpenAsync(s_runbook);

        opened.State.ShouldBe(IncidentState.Diagnosing);
        opened.Reason!.ShouldContain("until 03:02:00 UTC");
        opened.Timeline.ShouldContain(line => line.Kind == TimelineKind.Diagnosis && line.What == opened.Reason);

        (await _world.AdvanceAsync(opened.Id, s_window - TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.Diagnosing);
        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(1));

        ended.State.ShouldBe(IncidentState.NotNeeded);
        ended.Reason.ShouldBe("Every check passed; nothing was done. They were asked 9 times within 2m and never called for the mitigation. The sender has not said that the alert is over.");
    }

    [Fact]
    public async Task TheAlertLed_PeopleAreAskedAtTheNextLook()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.Verdicts["stuck"] = Verdict.Failing;

        var asked = await _world.AdvanceAsync(opened.Id, s_runbook.Mitigation.Verify!.Every);

        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.Findings.ShouldContain(finding => finding.Name == "stuck" && finding.Verdict == Verdict.Failing);
        _world.Notifier.To(CardKind.ApprovalRequest).ShouldBe(["oncall"]);
    }

    [Fact]
    public async Task HealthyAndThenUnknown_PeopleAreAsked()
    {
        var opened = await _world.OpenAsync(s_runbook);
        _world.Script.Verdicts["stuck"] = Verdict.Unknown;

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15))).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    /// <summary>A model server that nobody asks anything passes, and so does one that hangs in its first request.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PassesWithACaveat_PeopleAreAskedAndToldWhy(bool asks)
    {
        _world.Script.Caveats["stuck"] = "without a request to show it";

        var asked = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = asks ? s_runbook.Mitigation.Approval : null } });

        asked.State.ShouldBe(IncidentState.AwaitingApproval, "also where it heals by itself");
        asked.OpenGate!.Warnings.ShouldContain("'stuck' passes without a request to show it: that does not show that all is well.");
        _world.Script.Deeds.ShouldBeEmpty();
        (await _world.ResolveAlertAsync(asked.Id)).State.ShouldBe(IncidentState.SelfRecovered, "the sender and the checks agree");
    }

    [Fact]
    public async Task PassesWithACaveatAfterTheFix_IsVerified()
    {
        _world.Script.Verdicts["stuck"] = Verdict.Failing;
        _world.Script.OnDone = _ => (_world.Script.Verdicts["stuck"], _world.Script.Caveats["stuck"]) = (Verdict.Passing, "without a request to show it");
        var asked = await _world.OpenAsync(s_runbook);
        await _world.DecideAsync(asked.Id, DecisionVerb.Approve);

        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task StillFiringAtTheEnd_WhoeverWouldHaveBeenAskedIsTold()
    {
        var opened = await _world.OpenAsync(s_runbook);

        await _world.AdvanceAsync(opened.Id, s_window);

        var (to, card) = _world.Notifier.Sent.ShouldHaveSingleItem();
        (to, card.Kind).ShouldBe(("oncall", CardKind.Closed));
        card.Sections[0].Lines[0].ShouldContain("The sender has not said that the alert is over.");
    }

    [Theory]
    [InlineData("warning", ImpactSeverity.Medium, 0)]
    [InlineData("critical", ImpactSeverity.Medium, 1)]
    [InlineData("warning", ImpactSeverity.Critical, 1)]
    public async Task TheSenderSaysItIsOver_EndsAtTheNextLookAndOnlyTheWorstIsTold(string severity, ImpactSeverity impact, int told)
    {
        var opened = await _world.OpenAsync(s_runbook, Given.Incident(s_runbook) with { Severity = impact, Alert = Given.Alert() with { Severity = severity } });
        _world.Time.Advance(TimeSpan.FromSeconds(1));
        await _world.ResolveAlertAsync(opened.Id);

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15));

        ended.State.ShouldBe(IncidentState.NotNeeded);
        ended.Reason.ShouldBe("Every check passed; nothing was done. They were asked 2 times within 15s and never called for the mitigation.");
        _world.Notifier.Sent.Count.ShouldBe(told);
    }

    [Fact]
    public async Task StartedByHand_EndsAtOnceAndNobodyIsTold()
    {
        var ended = await _world.OpenAsync(s_runbook, ByHand());

        (ended.State, ended.Reason).ShouldBe((IncidentState.NotNeeded, "Every check passed; nothing was done."));
        _world.Notifier.Sent.ShouldBeEmpty();
    }

    /// <summary>The sender says it once, and it folds into what a person started a second before.</summary>
    [Fact]
    public async Task StartedByHandAndAnAlertComesWhileTheChecksAreAsked_OneLookIsNotEnough()
    {
        _world.Script.OnAsk = _ => Attach(AlertStatus.Firing);

        var opened = await _world.OpenAsync(s_runbook, ByHand());
        opened.State.ShouldBe(IncidentState.Diagnosing);
        _world.Script.OnAsk = _ => { };
        var ended = await _world.AdvanceAsync(opened.Id, s_window);

        ended.State.ShouldBe(IncidentState.NotNeeded);
        ended.Reason!.ShouldEndWith("The sender has not said that the alert is over.");
        _world.Notifier.To(CardKind.Closed).ShouldBe(["oncall"]);
    }

    [Fact]
    public async Task StartedByHandAndTheAlertThatCameIsOver_TheNextLookAnswersThePerson()
    {
        _world.Script.OnAsk = _ => Attach(AlertStatus.Firing);
        var opened = await _world.OpenAsync(s_runbook, ByHand());
        _world.Script.OnAsk = _ => { };
        Attach(AlertStatus.Resolved);

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15));

        ended.Reason.ShouldBe("Every check passed; nothing was done. They were asked 2 times within 15s and never called for the mitigation.");
    }

    /// <summary>Its alert came on the incident that ended; whoever tries again asks how it is now.</summary>
    [Theory]
    [InlineData(0, IncidentState.NotNeeded)]
    [InlineData(1, IncidentState.Diagnosing)]
    public async Task TriedAgain_OneLookIsEnoughUnlessTheAlertComesOnceMore(int seconds, IncidentState state)
    {
        _world.Time.Advance(TimeSpan.FromHours(1));
        var now = _world.Time.GetUtcNow();
        var ended = Given.Incident(s_runbook, "261123-0300-bbbbbb") with { State = IncidentState.Failed };
        var again = (Given.Incident(s_runbook) with { StartedBy = "ada", OpenedAt = now }).TryAgain(ended, hasChecks: true, "ada", "again", now);

        var opened = await _world.OpenAsync(s_runbook, seconds == 0 ? again : again.Attach(Given.Alert(), now.AddSeconds(seconds)));

        opened.State.ShouldBe(state);
    }

    [Fact]
    public async Task TheRunbookBelievesTheFirstLook_EndsAtOnceAndNobodyIsTold()
    {
        (await _world.OpenAsync(s_runbook with { Limits = new() { HealthyFor = TimeSpan.Zero } })).State.ShouldBe(IncidentState.NotNeeded);
        _world.Notifier.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task StoppedWhileItIsLookedAt_EndsAtTheNextLook()
    {
        var opened = await _world.OpenAsync(s_runbook);
        await _world.StopAsync(opened.Id);

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(15))).State.ShouldBe(IncidentState.Cancelled);
    }

    /// <summary>The looks themselves are progress, and the watchdog counts from the last one.</summary>
    [Fact]
    public async Task WhileItIsLookedAt_TheRecordSaysWhenItWasLookedAtLast()
    {
        var opened = await _world.OpenAsync(s_runbook);

        var later = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        later.IsWatched.ShouldBeTrue();
        later.Findings.ShouldAllBe(finding => finding.At == Given.Night + TimeSpan.FromMinutes(1));
        later.VerificationRounds.ShouldHaveSingleItem().Rounds.ShouldBe(5);
        later.Timeline.Count(line => line.Kind == TimelineKind.Diagnosis).ShouldBe(2, "only a change is worth a line");
    }

    /// <summary>A window that outlasts one execution goes on where it was.</summary>
    [Fact]
    public async Task WindowOfManyLooks_GoesOnInTheNextExecution()
    {
        var opened = await _world.OpenAsync(s_runbook with { Limits = new() { HealthyFor = TimeSpan.FromMinutes(30) } });

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30) - TimeSpan.FromSeconds(1))).State.ShouldBe(IncidentState.Diagnosing);
        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(1));

        ended.State.ShouldBe(IncidentState.NotNeeded);
        ended.Reason!.ShouldContain("They were asked 121 times within 30m");
    }

    /// <summary>Each sender says it once: what was looked at for two seconds was not looked at.</summary>
    [Theory]
    [InlineData(false, IncidentState.NotNeeded)]
    [InlineData(true, IncidentState.AwaitingApproval)]
    public async Task AnotherAlertBeginsRightBeforeTheEnd_IsLookedAtForAsLong(bool fails, IncidentState state)
    {
        var opened = await _world.OpenAsync(s_runbook);
        await _world.AdvanceAsync(opened.Id, s_window - TimeSpan.FromSeconds(2));
        Attach(Given.Alert() with { Fingerprint = "f2", Name = "ThingFull" });

        var looked = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(62));

        looked.State.ShouldBe(IncidentState.Diagnosing);
        looked.Reason!.ShouldContain("until 03:03:58 UTC");
        _world.Script.Verdicts["full"] = fails ? Verdict.Failing : Verdict.Passing;
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(state);
    }

    /// <summary>A rule of Azure Monitor that keeps no state fires each minute as an alert of its own: it would never end, and nobody would be told.</summary>
    [Fact]
    public async Task OneMoreFiringOfTheSameRule_IsNoNewerAlert()
    {
        var alert = Given.Alert() with { Source = AlertSource.AzureMonitor };
        var opened = await _world.OpenAsync(s_runbook, (Given.Incident(s_runbook) with { Alert = alert, Alerts = [], AlertCount = 0 }).Attach(alert, Given.Night));
        await _world.AdvanceAsync(opened.Id, s_window - TimeSpan.FromSeconds(2));
        Attach(alert with { Fingerprint = "f2" });

        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(2))).State.ShouldBe(IncidentState.NotNeeded);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static Incident ByHand()
    {
        var start = Given.Alert() with { Source = AlertSource.Manual, Fingerprint = "by hand" };
        return (Given.Incident(s_runbook) with { StartedBy = "ada", Alert = start, Alerts = [], AlertCount = 0 }).Attach(start, Given.Night);
    }

    private void Attach(AlertStatus status) => Attach(Given.Alert() with { Status = status });

    private void Attach(Alert alert) => _world.Store.UpdateAsync(
        _world.Store.All[0].Id, i => (i.Attach(alert, _world.Time.GetUtcNow()), true), CancellationToken.None).GetAwaiter().GetResult();
}
