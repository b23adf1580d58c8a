using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>What an incident knows of the noes before it on its target, and what takes one back.</summary>
public sealed class StandingNoesTests
{
    private static readonly Incident s_refused = About("refused", "/var") with
    {
        State = IncidentState.Rejected,
        Gates = [Some.Gate() with { Outcome = GateOutcome.Rejected, Decisions = [new(DecisionVerb.Reject, "ada", "link", Some.Time, "I need it.")] }],
    };

    private static readonly StepRecord s_step = new() { Phase = Phase.Mitigation, Name = "fix", Action = "act", GateId = "g", Preparation = new() { PlannedEffect = "Fix it." }, StartedAt = Some.Time };

    [Theory]
    [InlineData(null, true)]
    [InlineData(GateOutcome.Expired, true)]
    [InlineData(GateOutcome.Approved, false)]
    public void LastWordOnTheTarget_IsTheNoUntilSomebodyDecides(GateOutcome? outcome, bool stands)
    {
        var ended = About("between", "/tmp").WarnOfNo(s_refused, Some.Time) with { State = IncidentState.Failed, ClosedByHand = new("bob", "seen", Some.Time) };
        var between = outcome is { } how ? ended with { Gates = [Some.Gate() with { Outcome = how, Decisions = [new(DecisionVerb.Approve, "bob", "link", Some.Time)] }] } : ended;

        var next = About("next", "/data").WarnOfNo(between, Some.Time);

        next.EarlierNo.ShouldBe(stands ? s_refused.SaidNo() : null);
        next.Timeline.Any(line => line.What.StartsWith("The last decision on this target was a no: incident refused", StringComparison.Ordinal)).ShouldBe(stands);
    }

    [Fact]
    public void DecisionAboutAnotherAlert_TakesBackNothing()
    {
        var next = About("next", "/var").WarnOfNo(Fixed("/tmp"), Some.Time);

        (next.EarlierNo?.Incident, next.EarlierNo?.OfAlert).ShouldBe(("refused", true));
        next.Timeline[^1].What.ShouldStartWith("An alert of this incident came before, and a person said no: incident refused was rejected by ada");
        Fixed("/tmp").RefusedBy([Disk("/var", "4")]).ShouldBe(["refused"]);
        Fixed("/tmp").RefusedBy([Disk("/tmp", "4")]).ShouldBeEmpty();

        // It is said of an incident about that alert, and of none that follows about another.
        About("another", "/data").WarnOfNo(next with { State = IncidentState.SelfRecovered }, Some.Time).EarlierNo.ShouldBeNull();
    }

    [Fact]
    public void WhatWasDoneAboutTheSameAlert_TakesTheNoBack()
    {
        var after = Fixed("/var");

        after.RefusedBy([Disk("/var", "4")]).ShouldBeEmpty();
        About("next", "/var").WarnOfNo(after, Some.Time).StandingNoes.ShouldBeNull();
    }

    /// <summary>What is decided about it is decided in the incident that got it.</summary>
    [Fact]
    public void AlertThatWasHandedOn_IsNotMeant()
    {
        var both = s_refused.Attach(Disk("/tmp", "next"), Some.Time) with { State = IncidentState.Rejected };

        var next = (About("next", "/tmp") with { FollowUpOf = both.Id }).WarnOfNo(both, Some.Time) with { State = IncidentState.SelfRecovered };
        next.RefusedBy([Disk("/tmp", "3")]).ShouldBeEmpty();
        next.RefusedBy([Disk("/var", "3")]).ShouldBe(["refused"]);
        (next with { FollowUpOf = null }).WarnOfNo(both, Some.Time).RefusedBy([Disk("/tmp", "3")]).ShouldBe(["refused"], "it was not handed on");
        both.RefusedBy([Disk("/tmp", "3")]).ShouldBe(["refused"]);
        both.FollowUp("next", [Disk("/tmp", "next")], Some.Time).RefusedBy([Disk("/tmp", "3")]).ShouldBeEmpty();
    }

    /// <summary>What is open about the alert has it. Where that ends without a decision and without a deed, the no stands again.</summary>
    [Theory]
    [InlineData(IncidentState.AwaitingApproval, false, false)]
    [InlineData(IncidentState.SelfRecovered, false, true)]
    [InlineData(IncidentState.Failed, true, false)]
    public void WhatIsOpenAboutTheAlert_HasItUntilItEndsWithoutADeed(IncidentState state, bool acted, bool stands)
    {
        var again = About("again", "/var").WarnOfNo(s_refused, Some.Time) with { State = state, Steps = acted ? [s_step] : [] };

        again.RefusedBy([Disk("/var", "4")]).ShouldBe(stands ? ["refused"] : []);
    }

    /// <summary>A runbook that heals by itself, and silence, approve with nobody's decision.</summary>
    [Fact]
    public void ApprovalThatNobodyGave_IsNoDecisionOfAPerson()
    {
        var between = About("between", "/tmp").WarnOfNo(s_refused, Some.Time) with { State = IncidentState.Failed, Gates = [Some.Gate() with { Outcome = GateOutcome.Approved }] };

        between.LastNo().ShouldBe(s_refused.SaidNo());
    }

    [Fact]
    public void OneOfSeveralAlertsWasRefused_IsSaid()
    {
        var next = About("next", "/var").Attach(Disk("/home", "more"), Some.Time).WarnOfNo(Fixed("/tmp"), Some.Time);

        (next.EarlierNo?.Incident, next.EarlierNo?.OfAlert, next.Timeline[^1].Who).ShouldBe(("refused", true, "runbook"));
    }

    /// <summary>Where something was done about an alert since, a no of before holds no longer.</summary>
    [Fact]
    public void IncidentsThatHaveToBeAsked_AreNewestFirst()
    {
        var later = About("later", "/tmp").WarnOfNo(s_refused, Some.Time) with { State = IncidentState.Rejected, Gates = s_refused.Gates };

        later.RefusedBy([Disk("/var", "4"), Disk("/tmp", "4")]).ShouldBe(["later", "refused"]);
    }

    /// <summary>Some senders keep the identity while labels change. A start by hand is no alert that comes again.</summary>
    [Theory]
    [InlineData("azure-monitor", "refused", "/other", true)]
    [InlineData("azure-monitor", "another", "/var", true)]
    [InlineData("azure-monitor", "another", "/other", false)]
    [InlineData("manual", "refused", "/var", false)]
    public void Refused_IsKnownByItsIdentityOrByWhatItSays(string source, string fingerprint, string folder, bool refused)
    {
        var opened = Disk("/var", "refused") with { Source = source };
        var before = (s_refused with { Alert = opened, Alerts = [], AlertCount = 0 }).Attach(opened, Some.Time) with { State = IncidentState.Rejected };

        before.RefusedBy([Disk(folder, fingerprint) with { Source = source }]).ShouldBe(refused ? ["refused"] : []);
    }

    [Fact]
    public void NewestNoes_AreKept()
    {
        var last = Enumerable.Range(0, 15).Aggregate(s_refused, (before, n) => About($"n{n}", $"/{n}").WarnOfNo(before, Some.Time) with { State = IncidentState.Rejected, Gates = s_refused.Gates });

        About("last", "/x").WarnOfNo(last, Some.Time).StandingNoes!.Select(one => one.No.Incident).ShouldBe(Enumerable.Range(5, 10).Select(n => $"n{n}"));
        About("first", "/x").GoOnAfter(About("before", "/y") with { State = IncidentState.Resolved }, Some.Time).StandingNoes.ShouldBeNull("what is null is not written");
    }

    /// <summary>It was approved and did something.</summary>
    private static Incident Fixed(string folder) => About("between", folder).WarnOfNo(s_refused, Some.Time) with
    {
        State = IncidentState.Resolved,
        Gates = [Some.Gate() with { Outcome = GateOutcome.Approved, Decisions = [new(DecisionVerb.Approve, "bob", "link", Some.Time)] }],
    };

    /// <summary>Each firing has another identity.</summary>
    private static Incident About(string id, string folder) =>
        (Some.Incident(id) with { Alert = Disk(folder, id), Alerts = [], AlertCount = 0, Recurrences = [] }).Attach(Disk(folder, id), Some.Time);

    private static Alert Disk(string folder, string fingerprint) => new()
    {
        Source = "azure-monitor",
        Name = "DiskAlmostFull",
        Fingerprint = fingerprint,
        Labels = new Dictionary<string, string> { ["folder"] = folder },
    };
}
