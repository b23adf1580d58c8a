using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Model.Text;
using TestKit;
using TestKit.Incidents;

namespace Runbooks.Model.Tests.Incidents;

public sealed class IncidentReportTests
{
    private static readonly Impact s_impact = Some.Runbook().Impact;

    [Fact]
    public void QuestionThatNobodyAnswered_TellsWhatIsLeftToDo()
    {
        var expired = Some.Waiting().End(IncidentState.Expired, "Nobody decided in time.", Some.Time.AddMinutes(20));
        var report = IncidentReport.Markdown(expired, s_impact, Some.Time.AddHours(1));
        report.ShouldStartWith("# Hung GPU on inference/llm-b-0\n\nNobody answered. Incident `261123-0312-k7m2p9wd`, runbook `hanged-gpu` version `hash-of-hang`.\n");
        report.ShouldContain("## Summary\n\nNobody decided in time. Nothing was done.\n");
        report.ShouldContain("- Severity: medium\n- Users: Users in the EU region see timeouts.\n");
        report.ShouldContain("| Opened | 2026-11-23 03:12:00 |  |\n| Ended: Nobody answered | 2026-11-23 03:32:00 | 20m |\n");
        report.ShouldContain("| Is the GPU memory full? | 2026-11-23 03:12:00 failing: GPU memory is at 98 %. ▁▅█ (90 to 98 %) |  |\n");
        report.ShouldContain("- 2026-11-23 03:12:00: Recycle pod llm-b-0? Asked: oncall.\n  - Delete pod llm-b-0 in inference, keeping its logs. Cannot be undone.\n");
        report.ShouldContain($"## What is left to do\n\n{NextStepText.Of(expired, Some.Time.AddHours(1))}\n");
        report.ShouldNotContain("## What was done");
    }

    [Fact]
    public void AcknowledgedEnd_SaysWhoSawToIt()
    {
        var seen = Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time).Acknowledge("ada", "looking", Some.Time.AddMinutes(3));
        var report = IncidentReport.Markdown(seen, s_impact, Some.Time.AddHours(1));
        report.ShouldContain("## What is left to do\n\nada sees to it: looking\n- Fix it by hand and close the incident, or try it again.\n");
        report.ShouldContain("| A person first answered, stopped or acknowledged it | 2026-11-23 03:15:00 | 3m |\n");

        IncidentReport.LeftToDo(seen with { RetriedAs = "another" }, Some.Time)[0].ShouldBe("ada saw to it: looking");
        IncidentReport.LeftToDo(seen.CloseByHand("ben", "replaced the card", Some.Time.AddHours(6)), Some.Time).ShouldBe(["ben closed it: replaced the card"]);
    }

    [Fact]
    public void RunningIncident_IsReportedAsFarAsItHasCome()
    {
        var report = IncidentReport.Markdown(Some.Waiting(), impact: null, Some.Time.AddMinutes(2));
        report.ShouldContain("## Summary\n\nIt has not ended yet.\n");
        report.ShouldContain("| This report | 2026-11-23 03:14:00 | 2m |\n");
        report.ShouldContain("  - Nobody has decided yet. ");
        report.ShouldNotContain("Severity:");
    }

    [Fact]
    public void WorkByHandAndQuestionOfNobody_AreToldAsTheyWere()
    {
        var (ticked, _) = Some.Waiting(gate: Some.Gate() with { Id = "mitigation-swap", Question = "Swap the card.", Task = new ManualTask("swap", "Swap the card.", [new("Power is off"), new("Card answers")]) })
            .Decide("mitigation-swap", new Decision(DecisionVerb.Approve, "ada", "link", Some.Time.AddMinutes(1)) { Items = [1] });
        var report = IncidentReport.Markdown(ticked, s_impact, Some.Time.AddMinutes(2));
        report.ShouldContain("ada ticked");
        report.ShouldContain("Power is off");
        report.ShouldNotContain("ada did this");
        report.ShouldContain("  - It is still open. At ");

        var (gaveUp, _) = ticked.Decide("mitigation-swap", new Decision(DecisionVerb.Reject, "ben", "link", Some.Time.AddMinutes(2), "It is the wrong card") { Items = [2] });
        gaveUp.LatestGate!.Task!.Items.Select(item => item.DoneBy).ShouldBe(["ada", "ben"]);
        IncidentReport.Markdown(gaveUp, s_impact, Some.Time.AddMinutes(3)).ShouldContain("ben ticked (by link): Card answers; and could not do this: It is the wrong card\n");

        var told = Some.Waiting(gate: Some.Gate() with { Outcome = GateOutcome.Approved, ClosedAt = Some.Time, ClosedBy = "This runbook only tells; nobody had to be asked.", OpenedAt = Some.Time });
        report = IncidentReport.Markdown(told, s_impact, Some.Time);
        report.ShouldContain("Nobody was asked.");
        report.ShouldNotContain("Asked:");
        report.ShouldNotContain(Some.Gate().Question);
    }

    [Fact]
    public void QuestionThatReachedNobody_IsNotReportedAsAsked()
    {
        var waiting = Some.Waiting();
        var failed = waiting.RecordDeliveries([new Delivery($"{waiting.OpenGate!.MessageKey}:ada", "ada", null, Some.Time, "the address is not known")]);
        IncidentReport.Markdown(failed, s_impact, Some.Time).ShouldContain("Asked: oncall, but no message reached anybody.\n");

        var told = failed.RecordDeliveries([new Delivery($"{waiting.OpenGate!.MessageKey}:ben", "ben", "email", Some.Time, null)]);
        IncidentReport.Markdown(told, s_impact, Some.Time).ShouldContain("Asked: oncall.\n");
    }

    [Fact]
    public void DryRun_IsReportedAsRehearsed()
    {
        var rehearsed = Some.Incident() with { Mode = RunMode.DryRun };
        rehearsed = rehearsed.BeginStep(new StepSpec("recycle", "kubernetes.recyclePod", default, StepSpec.DefaultTimeout, StepRetry.Default), Phase.Mitigation, "mitigation-1", new Preparation { PlannedEffect = "Delete it." }, Some.Time);
        IncidentReport.Markdown(rehearsed, s_impact, Some.Time).ShouldContain("## What was rehearsed\n");
        IncidentReport.Markdown(rehearsed, s_impact, Some.Time).ShouldNotContain("What was done");
    }

    [Fact]
    public void TakenOver_HasNotEndedBeforeItIsClosed()
    {
        var owned = Some.Waiting().End(IncidentState.TakenOver, "ada took over.", Some.Time.AddMinutes(5), new() { SettleFor = TimeSpan.FromHours(1) });
        IncidentReport.Markdown(owned, s_impact, Some.Time.AddHours(1)).ShouldContain("| Taken over by a person | 2026-11-23 03:17:00 | 5m |\n");

        var closed = owned.CloseByHand("ada", "replaced the card", Some.Time.AddMinutes(9));
        IncidentReport.Markdown(closed, s_impact, Some.Time.AddHours(1)).ShouldContain("| Closed by hand: Taken over by a person | 2026-11-23 03:21:00 | 9m |\n");
    }

    /// <summary>A post-mortem asks when the automation gave up; whoever comes late is told the same.</summary>
    [Fact]
    public void ClosingWhatAnEndLeft_MovesNoEnd()
    {
        var failed = Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time.AddMinutes(26));
        var closed = failed.CloseByHand("ben", "replaced the card", Some.Time.AddHours(6));

        closed.ClosedAt.ShouldBe(Some.Time.AddHours(6));
        IncidentReport.Moments(closed).Where(moment => moment.At > Some.Time.AddMinutes(1)).ShouldBe(
            [("Ended: Failed", Some.Time.AddMinutes(26)), ("A person first answered, stopped or acknowledged it", Some.Time.AddHours(6)), ("Closed by hand", Some.Time.AddHours(6))], ignoreOrder: true);
        GateText.HowItEnded(closed).ShouldStartWith("Incident 261123-0312-k7m2p9wd ended at 2026-11-23 03:38:00 UTC: Failed. It broke.");
        IncidentSummary.Of(closed).EndedAt.ShouldBe(Some.Time.AddMinutes(26));

        var owned = Some.Waiting().End(IncidentState.TakenOver, "ada took over.", Some.Time.AddMinutes(5), new() { SettleFor = TimeSpan.FromHours(1) });
        GateText.HowItEnded(owned.CloseByHand("ada", "done", Some.Time.AddMinutes(9))).ShouldStartWith("Incident 261123-0312-k7m2p9wd was closed at 2026-11-23 03:21:00 UTC: Taken over by a person.");
    }

    /// <summary>A line that an older version has listed has no end of its own.</summary>
    [Fact]
    public void LineWithoutItsEnd_EndedWhenItWasClosed()
    {
        var line = IncidentSummary.Of(Some.Incident() with { State = IncidentState.Resolved, ClosedAt = Some.Time.AddMinutes(4) });
        var json = JsonNode.Parse(JsonSerializer.Serialize(line))!.AsObject();
        json.Remove(nameof(IncidentSummary.EndedAt)).ShouldBeTrue();

        json.Deserialize<IncidentSummary>()!.EndedAt.ShouldBe(Some.Time.AddMinutes(4));
    }

    [Fact]
    public void TimesOnAnotherDay_SayWhichDay()
    {
        var gate = Some.Gate() with { OpenedAt = Some.Time, ExpiresAt = Some.Time.AddDays(3), Reminders = [new(Some.Time.AddMinutes(30), ["boss"])] };
        GateText.Silence(gate).ShouldStartWith("At 03:42:00 UTC boss is asked too. At 2026-11-26 03:12:00 UTC ");
        NextStepText.Of(Some.Waiting(gate: gate), Some.Time.AddHours(1)).ShouldStartWith("Answer the question before 2026-11-26 03:12:00 UTC: ");
    }

    [Fact]
    public void TextFromOutside_StaysText()
    {
        const string hostile = "x | y\n# **Approved** <script>alert(1)</script> [click](https://evil.example) ![](http://evil.example/x.png) www.evil.example `code`";
        var incident = Some.Waiting() with { Title = hostile };
        incident = incident.Note(Some.Time, TimelineKind.Note, hostile, hostile) with { Findings = [Some.Finding() with { Ask = hostile }] };
        var report = IncidentReport.Markdown(incident, new Impact(ImpactSeverity.High, hostile, hostile), Some.Time);

        report.ShouldNotContain("<script");
        report.Replace("\\]", "", StringComparison.Ordinal).ShouldNotContain("](");
        report.ShouldNotContain("://");
        report.ShouldNotContain("www.");
        report.Split('\n').ShouldNotContain(line => line.StartsWith("# \\*", StringComparison.Ordinal) || line.StartsWith("# **", StringComparison.Ordinal));
        report.Split('\n').Where(line => line.StartsWith("| 2026", StringComparison.Ordinal)).ShouldAllBe(line => line.Replace("\\|", "", StringComparison.Ordinal).Count(character => character == '|') == 4);
    }

    [Theory]
    [InlineData(new double[] { 1 }, "")]
    [InlineData(new[] { 5.0, 5.0 }, "▄▄")]
    [InlineData(new[] { 0.0, 7.0, double.NaN, 3.5 }, "▁█ ▅")]
    public void Series_IsALineOfBlocks(double[] values, string line) => MarkdownText.Sparkline(values, []).ShouldBe(line);

    /// <summary>Forty per cent after a fix must not look as full as ninety-eight before it.</summary>
    [Fact]
    public void BeforeAndAfter_AreOnOneScale()
    {
        MarkdownText.Sparkline([90, 98], [10, 12]).ShouldBe("▇█");
        MarkdownText.Sparkline([10, 12], [90, 98]).ShouldBe("▁▁");
    }
}

public sealed class AuditTrailTests
{
    private static readonly Incident s_incident = Given.Incident(Given.Runbook())
        .Note(Given.Night, TimelineKind.Opened, "alertmanager", "It opened.")
        .Note(Given.Night.AddMinutes(1), TimelineKind.Decision, "alice", "alice approved (by link): \"go\"\n<b>")
        .Note(Given.Night.AddMinutes(2), TimelineKind.Step, "runbook", "fix: Did fix.")
        .Note(Given.Night.AddMinutes(3), TimelineKind.Closed, "runbook", "Resolved.");

    private readonly List<string> _lines = [.. AuditTrail.Export(s_incident)];

    [Fact]
    public void ExportedRecord_IsWholeAndOneLineAnEntry()
    {
        _lines.Count.ShouldBe(5);
        _lines.ShouldAllBe(line => !line.Contains('\n'));
        AuditTrail.Verify(_lines).Message.ShouldStartWith("Whole: 4 entries of incident 261123-0300-aaaaaa");
    }

    [Fact]
    public void AlteredLine_Shows()
    {
        _lines[1] = _lines[1].Replace("alice", "mallory");

        AuditTrail.Verify(_lines).Line.ShouldBe(2);
    }

    /// <summary>A hash does not cover what the entry is not known to have, so it proves nothing about that.</summary>
    [Fact]
    public void AddedMember_Shows()
    {
        _lines[1] = _lines[1].Replace("{", "{\"approvedBy\":\"mallory\",");

        AuditTrail.Verify(_lines).Line.ShouldBe(2);
    }

    [Fact]
    public void WhatALaterVersionAddedToAnEntry_IsNotExported()
    {
        var later = new Dictionary<string, JsonElement> { ["colour"] = JsonSerializer.SerializeToElement("red") };
        var incident = s_incident with { Timeline = [.. s_incident.Timeline.Select(entry => entry with { Later = later })] };

        AuditTrail.Verify([.. AuditTrail.Export(incident)]).IsIntact.ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(3, 4)]
    public void RemovedLine_Shows(int removed, int line)
    {
        _lines.RemoveAt(removed);

        AuditTrail.Verify(_lines).Line.ShouldBe(line);
    }

    [Fact]
    public void FileThatWasCutOff_Shows()
    {
        for (var kept = 0; kept < _lines.Count; kept++)
        {
            AuditTrail.Verify([.. _lines.Take(kept)]).IsIntact.ShouldBeFalse();
        }
    }

    [Fact]
    public void SwappedOrRepeatedLines_Show()
    {
        AuditTrail.Verify([_lines[1], _lines[0], .. _lines.Skip(2)]).Line.ShouldBe(1);
        AuditTrail.Verify([_lines[0], .. _lines]).Line.ShouldBe(2);
    }

    [Fact]
    public void RecordOfAnotherIncident_IsNotThisOnes()
    {
        var other = AuditTrail.Export(s_incident with { Id = "261123-0300-bbbbbb" }).Last();

        AuditTrail.Verify([.. _lines.SkipLast(1), other]).IsIntact.ShouldBeFalse();
    }
}
