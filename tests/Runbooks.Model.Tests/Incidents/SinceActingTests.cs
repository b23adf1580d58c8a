using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Whether a fix helped is told by what was measured after it.</summary>
public sealed class SinceActingTests
{
    /// <param name="from">The minute in which the time began that the answer is of; the step ended in minute 10.</param>
    [Theory]
    [InlineData(Verdict.Passing, null, 9, Verdict.Unknown)]
    [InlineData(Verdict.Passing, null, 10, Verdict.Unknown)]
    [InlineData(Verdict.Passing, null, 11, Verdict.Passing)]
    [InlineData(Verdict.Passing, 6, 11, Verdict.Unknown)]
    [InlineData(Verdict.Passing, 9, 14, Verdict.Unknown)]
    [InlineData(Verdict.Passing, 10, 15, Verdict.Passing)]
    [InlineData(Verdict.Failing, 5, 10, Verdict.Unknown)]
    [InlineData(Verdict.Failing, 6, 11, Verdict.Failing)]
    public void Answer_CountsWhenItsTimeIsAfterTheStep(Verdict verdict, int? from, int until, Verdict counts)
    {
        var finding = new Finding("slow", "Is it slow?", new CheckResult(verdict, "400 ms.") { MeasuredFrom = from is { } minute ? Some.Time.AddMinutes(minute) : null, MeasuredAt = Some.Time.AddMinutes(until) }, Some.Time.AddMinutes(20), TimeSpan.Zero);

        finding.SinceActing(Some.Time.AddMinutes(10), Some.Time.AddMinutes(20)).Verdict.ShouldBe(counts);
    }

    [Fact]
    public void PassOfATimeThatBeganBeforeTheStep_SaysOfWhenItIs()
    {
        var finding = new Finding("slow", "Is it slow?", CheckResult.Passing("400 ms.") with { MeasuredFrom = Some.Time, MeasuredAt = Some.Time.AddMinutes(5) }, Some.Time.AddMinutes(7), TimeSpan.Zero);

        finding.SinceActing(Some.Time.AddMinutes(1), Some.Time.AddMinutes(7)).Result.Summary.ShouldBe("Measured from 03:12:00 UTC until 03:17:00 UTC, and the last step ended at 03:13:00 UTC, so it does not count: 400 ms.");
    }
}
