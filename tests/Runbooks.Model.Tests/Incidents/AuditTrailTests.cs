using System.Text.Json;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Model.Tests.Incidents;

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
