using Runbooks.Guardrails;
using TestKit.Incidents;

namespace Runbooks.Tests.Guardrails;

public sealed class RunHistoryTests
{
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);

    [Fact]
    public void EfficacyInWords_NamesWorkedMedianAndTheLatestFailures()
    {
        var runs = Enumerable.Range(0, 9).Select(i => Run(i, i < 7 ? RunOutcome.Verified : RunOutcome.Ineffective, "inference/llm-b-" + i, TimeSpan.FromMinutes(i))).ToList();

        SuccessRate.Of(runs, "inference/*").Describe().ShouldBe("Worked in 7 of 9 runs, median 3m; the last 2 failed.");
        SuccessRate.Of(runs, "search/*").Describe().ShouldBeNull();
    }

    [Fact]
    public void RunsThatNothingJudged_AreSaidBesideThoseThatCameBack()
    {
        var runs = Enumerable.Range(0, 10).Select(i => Run(i, i < 8 ? RunOutcome.Unverified : RunOutcome.Recurred, "inference/llm-b-" + i)).ToList();

        SuccessRate.Of(runs, "inference/*").Describe().ShouldBe("Worked in 0 of 2 runs, median 3m; the alert came back after 2 of them; the last 2 failed. For 8 more runs nothing shows whether they helped.");
    }

    [Fact]
    public void SameIncidentRecordedTwice_CountsOnce() =>
        new RunHistory().Record(Run(1, RunOutcome.Ineffective), s_hour, 2).Record(Run(1, RunOutcome.Ineffective), s_hour, 2).Breaker.ShouldBeNull();

    [Fact]
    public void SuccessInBetween_KeepsTheBreakerClosed()
    {
        var history = new RunHistory();
        foreach (var outcome in (RunOutcome[])[RunOutcome.Ineffective, RunOutcome.Verified, RunOutcome.Ineffective])
        {
            history = history.Record(Run(history.Runs.Count, outcome, $"t/{history.Runs.Count}"), s_hour, 2);
        }

        history.Breaker.ShouldBeNull();
    }

    [Fact]
    public void FailuresBeforeAReset_AreNotCountedAgain()
    {
        var history = new RunHistory().Record(Run(1, RunOutcome.Ineffective), s_hour, 2).Record(Run(2, RunOutcome.Ineffective), s_hour, 2);
        history.Breaker.ShouldNotBeNull();

        history = history.Reset("ada", "fixed", Given.Night.AddHours(100)).Record(Run(101, RunOutcome.Ineffective), s_hour, 2);

        history.Breaker.ShouldBeNull();
    }

    [Fact]
    public void NextRunOnTheTargetSoonAfterAVerifiedFix_MarksItRecurred()
    {
        var history = new RunHistory().Record(Run(1, RunOutcome.Verified, ended: TimeSpan.FromMinutes(30)), s_hour, 9).Record(Run(2, RunOutcome.Verified), s_hour, 9);

        history.Runs.Select(run => run.Outcome).ShouldBe([RunOutcome.Recurred, RunOutcome.Verified]);
    }

    /// <summary>Two disks of one machine are two things; of what an older version recorded nobody knows.</summary>
    [Theory]
    [InlineData("var", "var", RunOutcome.Recurred)]
    [InlineData("var", "tmp", RunOutcome.Verified)]
    [InlineData(null, "tmp", RunOutcome.Recurred)]
    [InlineData("var", null, RunOutcome.Recurred)]
    public void NextRunOnTheTargetAboutAnotherThing_LeavesTheFixVerified(string? before, string? now, RunOutcome outcome)
    {
        var history = new RunHistory()
            .Record(Run(1, RunOutcome.Verified, ended: TimeSpan.FromMinutes(30)) with { Subject = before }, s_hour, 9)
            .Record(Run(2, RunOutcome.Verified) with { Subject = now }, s_hour, 9);

        history.Runs[0].Outcome.ShouldBe(outcome);
    }

    [Fact]
    public void History_StaysBounded()
    {
        var history = new RunHistory();
        for (var i = 0; i < RunHistory.MaxRuns + 50; i++)
        {
            history = history.Record(Run(i, RunOutcome.Verified), TimeSpan.Zero, 3).Reset("ada", "again", Given.Night);
        }

        history.Runs.Count.ShouldBe(RunHistory.MaxRuns);
        history.Resets.Count.ShouldBeLessThan(50);
    }

    private static RecordedRun Run(int hour, RunOutcome outcome, string target = "t/1", TimeSpan? took = null, TimeSpan ended = default) =>
        new($"i{hour}", target, outcome, Given.Night.AddHours(hour), Given.Night.AddHours(hour) + ended, took ?? TimeSpan.FromMinutes(3));
}
