using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>What is looked at again is what came in: an alert of which only the name was kept does not become one without labels.</summary>
public sealed class TakenUpTests
{
    [Fact]
    public void AlertsOfWhichOnlyAPartWasKept_StayPartsOfThemselves()
    {
        var alert = Some.Incident().Alert;
        var before = Enumerable.Range(0, 15).Aggregate(Some.Incident().Attach(alert, Some.Time), (changed, at) => changed.Attach(
            alert with { Name = $"Other{at}", Fingerprint = $"other-{at}", Labels = new Dictionary<string, string> { ["disk"] = $"{at}" } }, Some.Time));
        var parts = before.Alerts.Where(known => !known.Is(alert) && !known.IsWhole).Select(known => known.Name).ToList();
        parts.ShouldNotBeEmpty();

        var after = Some.Incident("261123-0312-another0").TakeUp(before, Some.Time);

        after.Alerts.Where(known => !known.Is(alert) && !known.IsWhole).Select(known => known.Name).ShouldBe(parts);
    }

    [Theory]
    [InlineData(IncidentState.NotNeeded, GateOutcome.Suppressed, true)]
    [InlineData(IncidentState.NotNeeded, GateOutcome.DiagnosedOnly, true)]
    [InlineData(IncidentState.NotNeeded, GateOutcome.Approved, false)]
    [InlineData(IncidentState.Resolved, GateOutcome.Suppressed, false)]
    public void EndedBecauseNothingWasToRun_IsLookedAtAgain(IncidentState state, GateOutcome outcome, bool unasked)
    {
        var ended = Some.Incident() with { State = state, Gates = [Some.Gate() with { Outcome = outcome }] };

        ended.IsUnasked().ShouldBe(unasked);
        (ended with { AlertResolvedAt = Some.Time }).IsUnasked().ShouldBeFalse("the sender says that it is over, and there are no checks to ask");
        (ended with { AlertResolvedAt = Some.Time, Findings = [Some.Finding()] }).IsUnasked().ShouldBe(unasked);
    }

    [Fact]
    public void NobodyWasAskedAbout_IsTheLastThatFires()
    {
        var incident = Some.Incident().Attach(Some.Alert("Second"), Some.Time).Attach(Some.Alert("Third"), Some.Time);
        var held = incident with { Alerts = [.. incident.Alerts.Select(alert => alert with { AskedNobody = true })] };

        incident.Unasked().ShouldBe(incident.Alert);
        held.Unasked().Name.ShouldBe("Third");
        (held with { Alerts = [held.Alerts[0], held.Alerts[1], held.Alerts[2] with { Resolved = true }] }).Unasked().Name.ShouldBe("Second");
        (held.IsUnasked(), incident.IsUnasked()).ShouldBe((true, false));
    }

    /// <summary>Whoever started it did so for that alert, and is not the only one to approve it.</summary>
    [Theory]
    [InlineData(true, null, "ada", true)]
    [InlineData(true, "bob", "bob", true)]
    [InlineData(false, null, null, false)]
    public void LookedAtAgain_KeepsWhoStartedItForTheSameAlert(bool sameAlert, string? startedBy, string? starter, bool proposed)
    {
        var before = Some.Incident() with { StartedBy = "ada", IsProposed = true, Mode = RunMode.DryRun };
        before = before with { Alerts = [before.Alerts[0] with { AskedNobody = true, ToldAfterNo = true }], AlertCount = 7, CountedOnly = 2, ThreadOf = "first" };
        var next = Some.Incident("261123-0312-another0") with { StartedBy = startedBy, Alert = sameAlert ? before.Alert : Some.Alert("Other") };

        var after = next.TakeUp(before, Some.Time);

        (after.StartedBy, after.IsProposed, after.Mode, after.AlertCount, after.CountedOnly, after.ThreadOf).ShouldBe((starter, proposed, RunMode.DryRun, 7, 2, "first"));
        (after.Alerts[0].AskedNobody, after.Alerts[0].ToldAfterNo).ShouldBe((false, false));
        (after.Timeline[^1].Who, after.Timeline[^1].What).ShouldBe(("runbook", $"The maintenance window has ended or become milder, and the alert was not said to be over. This incident looks again, after incident {before.Id}."));
        next.TakeUp(before with { AlertResolvedAt = Some.Time }, Some.Time).Timeline[^1].What.ShouldStartWith("The maintenance window has ended or become milder. The sender says that the alert is over; the checks decide. This incident looks again");
        next.TakeUp(Rejected(before), Some.Time).Timeline[^1].What.ShouldBe($"The alert came again after a no, and has not ended since. This incident looks at it, after incident {before.Id}.");
        Rejected(before).NoteTakenUp("i-2", Some.Time).Timeline[^1].What.ShouldBe("The alert came again after a no, and has not ended since. Incident i-2 looks at it.");
    }

    [Fact]
    public void CameAgainAfterANo_IsUnheardOfUntilItComesHere()
    {
        var alert = Some.Alert("Again");
        var before = Some.Incident().Attach(alert, Some.Time.AddMinutes(5));
        before = before with { Alerts = [before.Alerts[0], before.Alerts[1] with { AskedNobody = true }] };
        var next = Some.Incident("261123-0312-another0");

        next.UnheardOf(before).ShouldBe([alert]);
        next.Attach(alert, Some.Time.AddMinutes(4)).UnheardOf(before).ShouldBe([alert], "it has come since");
        next.Attach(alert, Some.Time.AddMinutes(5)).UnheardOf(before).ShouldBeEmpty();
        next.UnheardOf(before with { Alerts = [before.Alerts[0], before.Alerts[1] with { Resolved = true }] }).ShouldBeEmpty();
    }

    /// <summary>Of one target only the last incident is looked at again.</summary>
    [Fact]
    public void WhatNobodyWasAskedAboutBefore_BelongsToThisOneToo()
    {
        var before = Some.Incident().Attach(Some.Alert("Again"), Some.Time).Attach(Some.Alert("Again"), Some.Time).Attach(Some.Alert("Over"), Some.Time);
        before = before with { Alerts = [before.Alerts[0], before.Alerts[1] with { AskedNobody = true, ToldAfterNo = true }, before.Alerts[2] with { AskedNobody = true, Resolved = true }] };
        var next = Some.Incident("261123-0312-another0");

        var knowing = next.AddUnaskedOf(before, Some.Time);

        knowing.Alerts.Select(alert => (alert.Name, alert.AskedNobody, alert.ToldAfterNo)).ShouldBe([(next.Alert.Name, false, false), ("Again", false, false)]);
        knowing.AlertCount.ShouldBe(3);
        knowing.Timeline.TakeLast(2).Select(line => line.What).ShouldBe([$"Incident {before.Id} on this target asked nobody. What it was about belongs to this one too.", "Another alert on this target: Again (critical): Requests hang."]);
        knowing.AddUnaskedOf(before, Some.Time).ShouldBeSameAs(knowing);
        next.AddUnaskedOf(before with { Alerts = [before.Alerts[0], before.Alerts[1] with { AskedNobody = false }] }, Some.Time).ShouldBeSameAs(next);
        var suppressed = before with { State = IncidentState.NotNeeded, Gates = [Some.Gate() with { Outcome = GateOutcome.Suppressed }], Alerts = [before.Alerts[0], before.Alerts[1] with { AskedNobody = false }] };
        next.AddUnaskedOf(suppressed, Some.Time).Alerts.Count.ShouldBe(2);
    }

    private static Incident Rejected(Incident incident) => incident with
    {
        State = IncidentState.Rejected,
        Gates = [Some.Gate() with { Outcome = GateOutcome.Rejected, Decisions = [new(DecisionVerb.Reject, "eve", "link", Some.Time)] }],
    };
}
