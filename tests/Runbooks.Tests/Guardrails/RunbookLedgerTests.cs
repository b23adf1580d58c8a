using Runbooks.Guardrails;
using TestKit.Incidents;

namespace Runbooks.Tests.Guardrails;

public sealed class RunbookLedgerTests
{
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);

    [Fact]
    public void EfficacyInWords_NamesWorkedMedianAndTheLatestFailures()
    {
        var runs = Enumerable.Range(0, 9).Select(i => Run(i, i < 7 ? RunOutcome.Verified : RunOutcome.Ineffective, "inference/llm-b-" + i, TimeSpan.FromMinutes(i))).ToList();

        Efficacy.Of(runs, "inference/*").Words().ShouldBe("Worked 7 of 9 times, median 3m; the last 2 failed.");
        Efficacy.Of(runs, "search/*").Words().ShouldBeNull();
    }

    [Fact]
    public void SameIncidentRecordedTwice_CountsOnce() =>
        new RunbookLedger().Record(Run(1, RunOutcome.Ineffective), s_hour, 2).Record(Run(1, RunOutcome.Ineffective), s_hour, 2).Breaker.ShouldBeNull();

    [Fact]
    public void SuccessInBetween_KeepsTheBreakerClosed()
    {
        var ledger = new RunbookLedger();
        foreach (var outcome in (RunOutcome[])[RunOutcome.Ineffective, RunOutcome.Verified, RunOutcome.Ineffective])
        {
            ledger = ledger.Record(Run(ledger.Runs.Count, outcome, $"t/{ledger.Runs.Count}"), s_hour, 2);
        }

        ledger.Breaker.ShouldBeNull();
    }

    [Fact]
    public void FailuresBeforeAReset_AreNotCountedAgain()
    {
        var ledger = new RunbookLedger().Record(Run(1, RunOutcome.Ineffective), s_hour, 2).Record(Run(2, RunOutcome.Ineffective), s_hour, 2);
        ledger.Breaker.ShouldNotBeNull();

        ledger = ledger.Reset("ada", "fixed", Some.Night.AddHours(100)).Record(Run(101, RunOutcome.Ineffective), s_hour, 2);

        ledger.Breaker.ShouldBeNull();
    }

    [Fact]
    public void NextRunOnTheTargetSoonAfterAVerifiedFix_MarksItRecurred()
    {
        var ledger = new RunbookLedger().Record(Run(1, RunOutcome.Verified, ended: TimeSpan.FromMinutes(30)), s_hour, 9).Record(Run(2, RunOutcome.Verified), s_hour, 9);

        ledger.Runs.Select(run => run.Outcome).ShouldBe([RunOutcome.Recurred, RunOutcome.Verified]);
    }

    [Fact]
    public void Ledger_StaysBounded()
    {
        var ledger = new RunbookLedger();
        for (var i = 0; i < RunbookLedger.MaxRuns + 50; i++)
        {
            ledger = ledger.Record(Run(i, RunOutcome.Verified), TimeSpan.Zero, 3).Reset("ada", "again", Some.Night);
        }

        ledger.Runs.Count.ShouldBe(RunbookLedger.MaxRuns);
        ledger.Resets.Count.ShouldBeLessThan(50);
    }

    private static LedgerRun Run(int hour, RunOutcome outcome, string target = "t/1", TimeSpan? took = null, TimeSpan ended = default) =>
        new($"i{hour}", target, outcome, Some.Night.AddHours(hour), Some.Night.AddHours(hour) + ended, took ?? TimeSpan.FromMinutes(3));
}
