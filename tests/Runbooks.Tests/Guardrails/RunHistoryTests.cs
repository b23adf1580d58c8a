using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using TestKit.Incidents;

namespace Runbooks.Tests.Guardrails;

public sealed class RunHistoryTests
{
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);

    [Fact]
    public void EfficacyInWords_NamesWorkedMedianAndTheLatestFailures()
    {
        var runs = Enumerable.Range(0, 9).Select(i => Run(i, i < 7 ? RunOutcome.Verified : RunOutcome.Ineffective, "inference/llm-b-" + i, TimeSpan.FromMinutes(i))).ToList();

        SuccessRate.Of(runs, "inference/*").ShouldBe(new("inference/*", Runs: 9, Verified: 7, Ineffective: 2, Recurred: 0, Unverified: 0, TimeSpan.FromMinutes(3), FailedLast: 2));
        SuccessRate.Of(runs, "inference/*").Describe().ShouldBe("Worked in 7 of 9 runs, median 3m; the last 2 failed.");
        SuccessRate.Of(runs, "search/*").Describe().ShouldBeNull();
    }

    [Fact]
    public void RunsThatNothingJudged_AreSaidBesideThoseThatCameBack()
    {
        var runs = Enumerable.Range(0, 10).Select(i => Run(i, i < 8 ? RunOutcome.Unverified : RunOutcome.Recurred, "inference/llm-b-" + i)).ToList();

        SuccessRate.Of(runs, "inference/*").Describe().ShouldBe("Worked in 0 of 2 runs; it was needed again after 2 of them. For 8 more runs nothing shows whether they helped.");
    }

    /// <summary>How long a fix took is said of those that worked, as it was in the middle; of none that did not help.</summary>
    [Theory]
    [InlineData("Worked in 2 of 3 runs, median 2m; the last one failed. For 1 more run nothing shows whether it helped.", RunOutcome.Verified, RunOutcome.Verified, RunOutcome.Unverified, RunOutcome.Ineffective)]
    [InlineData("Worked in 0 of 1 run; the last one failed.", RunOutcome.Ineffective)]
    [InlineData("For 1 run nothing shows whether it helped.", RunOutcome.Unverified)]
    [InlineData("For 2 runs nothing shows whether they helped.", RunOutcome.Unverified, RunOutcome.Unverified)]
    [InlineData("Worked in 2 of 4 runs, median 4m; it was needed again after 1 of them.", RunOutcome.Ineffective, RunOutcome.Recurred, RunOutcome.Verified, RunOutcome.Verified)]
    public void EfficacyInWords_CountsEachOutcomeAsWhatItIs(string words, params RunOutcome[] outcomes) =>
        SuccessRate.Of([.. outcomes.Select((outcome, i) => Run(i, outcome, "inference/llm-b-" + i, TimeSpan.FromMinutes(i + 1)))], "inference/*").Describe().ShouldBe(words);

    [Theory]
    [InlineData(0, "1s")]
    [InlineData(1600, "2s")]
    public void MedianInWords_IsInWholeSeconds(int milliseconds, string median) =>
        SuccessRate.Of([Run(0, RunOutcome.Verified, "t/1", TimeSpan.FromMilliseconds(milliseconds))], "t/*").Describe().ShouldBe($"Worked in 1 of 1 run, median {median}.");

    [Theory]
    [InlineData("inference/llm-b-0", "inference/*")]
    [InlineData("prod/inference/llm-b-0", "prod/inference/*")]
    [InlineData("llm-b-0", "*")]
    [InlineData("/llm-b-0", "*")]
    public void Class_IsAllOfATargetBeforeItsLastPart(string target, string expected) => SuccessRate.ClassOf(target).ShouldBe(expected);

    [Fact]
    public void Kinds_AreInTheOrderOfTheirNames() =>
        SuccessRate.OfEach([Run(1, RunOutcome.Verified, "b/1"), Run(2, RunOutcome.Verified, "a/1"), Run(3, RunOutcome.Verified, "b/2")]).Select(kind => (kind.Class, kind.Runs)).ShouldBe([("a/*", 1), ("b/*", 2)]);

    [Theory]
    [InlineData(10, 0, 0, true, "On t/* it worked 10 times of 10. A person may decide to let it heal by itself: remove 'mitigation.approval' and set 'limits'.")]
    [InlineData(9, 0, 0, true, null)]
    [InlineData(10, 0, 1, true, null)]
    [InlineData(10, 1, 0, true, null)]
    [InlineData(10, 0, 0, false, null)]
    [InlineData(0, 2, 0, false, "On t/* the fix came undone 2 times: it treats the symptom.")]
    public void Suggestion_IsMadeWhereTheRunsAllSayTheSame(int verified, int recurred, int ineffective, bool asks, string? suggestion)
    {
        var outcomes = Enumerable.Repeat(RunOutcome.Verified, verified).Concat(Enumerable.Repeat(RunOutcome.Recurred, recurred)).Concat(Enumerable.Repeat(RunOutcome.Ineffective, ineffective));
        var history = new RunHistory { Runs = [.. outcomes.Select((outcome, i) => Run(i, outcome)), Run(100, RunOutcome.Unverified, "other/1")] };
        var runbook = Given.Runbook();

        var report = RunbookReport.Of("r", asks ? runbook : runbook with { Mitigation = runbook.Mitigation with { Approval = null } }, history);

        report.Targets.Select(target => target.Class).ShouldBe(["other/*", "t/*"], "also where nothing was judged");
        report.Targets[0].Describe().ShouldBe("For 1 run nothing shows whether it helped.");
        report.Suggestions.ShouldBe(suggestion is null ? [] : [suggestion]);
    }

    [Fact]
    public void SameIncidentRecordedTwice_CountsOnce() =>
        new RunHistory().Record(Run(1, RunOutcome.Ineffective), s_hour, 2).Record(Run(1, RunOutcome.Ineffective), s_hour, 2).Breaker.ShouldBeNull();

    [Fact]
    public void FixesInARowThatDidNotHelp_OpenTheBreakerOnceAndPastThoseThatNothingJudged()
    {
        var history = new RunHistory();
        foreach (var outcome in (RunOutcome[])[RunOutcome.Verified, RunOutcome.Ineffective, RunOutcome.Unverified, RunOutcome.Ineffective, RunOutcome.Ineffective])
        {
            history = history.Record(Run(history.Runs.Count, outcome, $"t/{history.Runs.Count}"), s_hour, 2);
        }

        history.Breaker.ShouldBe(new BreakerOpening(Given.Night.AddHours(3), "The last 2 fixes of this runbook that could be judged did not help."));
    }

    /// <summary>Runs of which nobody knows whether the fix happened (u) break no row of those that did not help (i): nothing goes on by itself, and no yes is refused for them.</summary>
    [Theory]
    [InlineData("u", null)]
    [InlineData("u u", true)]
    [InlineData("u i", true)]
    [InlineData("i u", true)]
    [InlineData("u v u", null)]
    [InlineData("u u v", true)]
    [InlineData("u i i", false)]
    [InlineData("i u u i", false)]
    [InlineData("i i u", false)]
    public void NobodyKnowsWhetherFixesHappened_TheBreakerAsksFirstUntilEnoughDidNotHelp(string runs, bool? asksFirst)
    {
        var history = runs.Split(' ').Select((kind, i) => Run(i, kind switch { "u" => RunOutcome.Unverified, "v" => RunOutcome.Verified, _ => RunOutcome.Ineffective }, $"t/{i}") with { IsUnknown = kind == "u" })
            .Aggregate(new RunHistory(), (known, run) => known.Record(run, s_hour, 2));

        history.Breaker?.AsksFirst.ShouldBe(asksFirst!.Value);
        (history.Breaker is null, history.Reset("ada", "seen to", history.Runs[^1].EndedAt).Record(Run(50, RunOutcome.Unverified) with { IsUnknown = true }, s_hour, 2).Breaker).ShouldBe((asksFirst is null, null));
        history.MarkRecurred("t/0", subject: null, Given.Night.AddMinutes(1), s_hour).ShouldBe(history, "what is not known to have helped has not come undone");
    }

    [Fact]
    public void RunOfWhichNobodyKnowsWhetherItHappened_IsNoReasonToLetTheRunbookHealByItself()
    {
        var runs = Enumerable.Range(0, 10).Select(i => Run(i, RunOutcome.Verified)).ToList();

        RunbookReport.Of("r", Given.Runbook(), new() { Runs = runs }).Suggestions.Count.ShouldBe(1);
        RunbookReport.Of("r", Given.Runbook(), new() { Runs = [.. runs, Run(11, RunOutcome.Unverified) with { IsUnknown = true }] }).Suggestions.ShouldBeEmpty();
    }

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

        history = history.Reset("ada", "fixed", history.Runs[^1].EndedAt).Record(Run(101, RunOutcome.Ineffective), s_hour, 2);

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
    public void TargetThatIsComparedInAnotherForm_IsTheSameTarget() =>
        new RunHistory { Runs = [Run(1, RunOutcome.Verified, "T/1") with { TargetKey = "t/1" }] }
            .MarkRecurred("t/1", subject: null, Given.Night.AddHours(1), s_hour).Runs.ShouldHaveSingleItem().Outcome.ShouldBe(RunOutcome.Recurred);

    [Theory]
    [InlineData(RunOutcome.Verified, 59, true)]
    [InlineData(RunOutcome.Verified, 60, false)]
    [InlineData(RunOutcome.Verified, 0, true)]
    [InlineData(RunOutcome.Verified, -1, false)]
    [InlineData(RunOutcome.Unverified, 59, true)]
    [InlineData(RunOutcome.Recurred, 59, false)]
    [InlineData(RunOutcome.Ineffective, 59, false)]
    public void NewIncident_DisprovesTheLatestFixOnItsTargetThatEndedShortlyBefore(RunOutcome outcome, int minutes, bool disproved)
    {
        var fix = Run(1, outcome);
        var history = new RunHistory { Runs = [Run(-5, RunOutcome.Verified), fix, Run(1, RunOutcome.Verified, "t/2")] };

        history.MarkRecurred("t/1", subject: null, fix.EndedAt.AddMinutes(minutes), s_hour).Runs.ShouldBe([Run(-5, RunOutcome.Verified), disproved ? fix with { Outcome = RunOutcome.Recurred } : fix, Run(1, RunOutcome.Verified, "t/2")]);
    }

    /// <summary>A temporary fix was taken back because its cause was gone: that there is another outage hours later says nothing against it.</summary>
    [Theory]
    [InlineData(false, 30, 60)]
    [InlineData(false, 90, 90)]
    [InlineData(true, 30, 30)]
    [InlineData(true, 90, 90)]
    public void FixThatHasToSettle_IsLookedAtForAsLong(bool isTemporary, int settles, int expected) =>
        RunHistoryStore.RecurredWithin(With(new() { SettleFor = TimeSpan.FromMinutes(settles) }, isTemporary)).ShouldBe(TimeSpan.FromMinutes(expected));

    /// <summary>We took it back each time: nothing came undone, and whether it had helped is as it was.</summary>
    [Theory]
    [InlineData(RunOutcome.Verified, "Worked in 2 of 2 runs, median 3m. The cause came back soon after 2 of them had ended.")]
    [InlineData(RunOutcome.Unverified, "For 2 runs nothing shows whether they helped. The cause came back soon after 2 of them had ended.")]
    public void CauseOfATemporaryFixThatComesBack_DisprovesNoFix(RunOutcome outcome, string words)
    {
        var runs = new RunHistory { Runs = [Run(0, outcome) with { IsTemporary = true }, Run(100, outcome) with { IsTemporary = true }] };
        foreach (var run in runs.Runs)
        {
            runs = runs.MarkRecurred("t/1", subject: null, run.EndedAt.AddMinutes(5), s_hour);
            runs = runs.MarkRecurred("t/1", subject: null, run.EndedAt.AddMinutes(6), s_hour);
        }

        runs.Runs.ShouldAllBe(run => run.CauseBack && run.Outcome == outcome);
        SuccessRate.Of(runs.Runs, "t/*").Describe().ShouldBe(words);
        RunbookReport.Of("r", Given.Runbook(), runs).Suggestions
            .ShouldBe(["On t/* the cause came back 2 times soon after the fix had ended: it may have to be held longer ('stableFor')."]);
    }

    [Fact]
    public void History_StaysBounded()
    {
        var history = new RunHistory();
        for (var i = 0; i < RunHistory.MaxRuns + 50; i++)
        {
            history = history.Record(Run(i, RunOutcome.Verified), TimeSpan.Zero, 3).Reset("ada", $"again {i}", Given.Night);
        }

        history.Runs.Count.ShouldBe(RunHistory.MaxRuns);
        history.Resets.Select(reset => reset.Reason).ShouldBe(Enumerable.Range(RunHistory.MaxRuns + 30, 20).Select(i => $"again {i}"));
    }

    private static Runbook With(Limits limits, bool isTemporary) => Given.Runbook() with
    {
        Limits = limits,
        Mitigation = Given.Runbook().Mitigation with { HoldUntil = isTemporary ? new(["stuck"], TimeSpan.FromMinutes(10), s_hour, TimeSpan.FromSeconds(30)) : null },
    };

    private static RecordedRun Run(int hour, RunOutcome outcome, string target = "t/1", TimeSpan? took = null, TimeSpan ended = default) =>
        new($"i{hour}", target, outcome, Given.Night.AddHours(hour), Given.Night.AddHours(hour) + ended, took ?? TimeSpan.FromMinutes(3));
}
