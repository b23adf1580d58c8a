using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>What was found is read hours later, so it says of when it is.</summary>
public sealed class FindingTextTests
{
    private static readonly DateTimeOffset s_nextDay = Some.Time.AddHours(22);

    [Fact]
    public void Heading_SaysWhenTheChecksAnswered()
    {
        FindingText.Found(Some.Waiting(), Some.Time).ShouldBe("What was found at 03:12:00 UTC");
        FindingText.Found(Some.Waiting(), s_nextDay).ShouldBe("What was found at 2026-11-23 03:12:00 UTC");
        FindingText.Found(Some.Incident(), Some.Time).ShouldBe("What was found");
    }

    [Fact]
    public void AnswersSinceSomethingWasDone_AreToldFromTheFirst()
    {
        var later = Some.Waiting() with { Verification = [Some.Finding(verdict: Verdict.Passing) with { At = Some.Time.AddMinutes(4) }] };

        FindingText.Found(later, Some.Time).ShouldBe("What was found first, at 03:12:00 UTC");
        FindingText.SaidLast(later, Some.Time).ShouldBe("What the checks said last, at 03:16:00 UTC");
    }

    [Fact]
    public void WhatWasMeasuredWellBefore_SaysSo()
    {
        var finding = Some.Finding();

        FindingText.Line(finding).ShouldBe("✗ Is the GPU memory full? GPU memory is at 98 %.");
        FindingText.Line(finding with { Result = finding.Result with { MeasuredAt = Some.Time.AddMinutes(-2) } }).ShouldBe("✗ Is the GPU memory full? GPU memory is at 98 %. (measured until 03:10:00 UTC)");
    }
}
