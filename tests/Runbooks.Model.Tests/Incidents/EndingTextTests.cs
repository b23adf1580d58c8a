using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using static Runbooks.Model.Tests.Incidents.EndedIncidents;

namespace Runbooks.Model.Tests.Incidents;

public sealed class EndingTextTests
{
    public static TheoryData<IncidentState, bool, Fate, Checks, Kind> Everything
    {
        get
        {
            var data = new TheoryData<IncidentState, bool, Fate, Checks, Kind>();
            foreach (var state in Enum.GetValues<IncidentState>().Where(state => state.IsFinal()))
            {
                foreach (var inResolution in (bool[])[false, true])
                {
                    foreach (var fate in Enum.GetValues<Fate>())
                    {
                        foreach (var checks in Enum.GetValues<Checks>())
                        {
                            data.Add(state, inResolution, fate, checks, Kind.Changes);
                            data.Add(state, inResolution, fate, checks, Kind.TellsOnly);
                        }
                    }
                }
            }

            return data;
        }
    }

    /// <summary>Whatever the combination: no word stands there that the record does not bear out, and nothing that is left is passed over.</summary>
    [Theory]
    [MemberData(nameof(Everything))]
    public void Ending_SaysNothingThatTheRecordDoesNot(IncidentState state, bool inResolution, Fate fate, Checks checks, Kind kind)
    {
        var incident = Make(state, fate, checks, kind);

        var (text, headline) = (EndingText.Of(incident, "Ada said so.", inResolution), EndingText.Headline(incident));

        var rehearsed = fate == Fate.DryRun;
        var changed = kind == Kind.Changes && fate is not (Fate.NotReached or Fate.DryRun);
        if (text.Contains("was verified", StringComparison.Ordinal))
        {
            (changed, checks, rehearsed).ShouldBe((true, Checks.AllPass, false));
        }

        if (text.Contains("Every check passed", StringComparison.Ordinal) || text.Contains("The check passed", StringComparison.Ordinal))
        {
            (checks is Checks.PassAsBefore || (checks, fate) == (Checks.AllPass, Fate.NotReached)).ShouldBeTrue();
        }

        var endedWell = state is IncidentState.Resolved or IncidentState.NotNeeded or IncidentState.SelfRecovered;
        text.Contains("ndone: fix", StringComparison.Ordinal).ShouldBe(changed && !endedWell && (fate is Fate.Undone or Fate.UndoFailed), text);
        text.Contains("NOT undone, and left alone: fix", StringComparison.Ordinal).ShouldBe(changed && !endedWell && fate == Fate.LeftAlone, text);
        if (fate == Fate.Kept && changed && state is not (IncidentState.NotNeeded or IncidentState.SelfRecovered))
        {
            text.ShouldContain("Left it suspended; reactivate it by hand.");
        }

        if ($"{headline} {text}".Replace("not taken back", "", StringComparison.Ordinal).Contains("taken back", StringComparison.Ordinal))
        {
            fate.ShouldBe(Fate.Undone);
        }

        if (headline == "Resolved")
        {
            (changed, checks, rehearsed).ShouldBe((true, Checks.AllPass, false));
        }

        // What figures count as resolved, in the record and in its line of a listing alike.
        EndingText.IsFixed(incident).ShouldBe(
            state == IncidentState.Resolved && changed && (fate is Fate.Undone or Fate.HandedOn or Fate.Kept or Fate.UndoFailed or Fate.LeftAlone or Fate.DoneWhileOthersWereUndone
                || (checks == Checks.AllPass && fate is Fate.Done or Fate.Failed or Fate.Unknown)), headline);
        IncidentSummary.Of(incident).IsFixed.ShouldBe(EndingText.IsFixed(incident));

        if (!endedWell)
        {
            text.ShouldContain("Ada said so.");
            text.Contains("Nothing was done.", StringComparison.Ordinal).ShouldBe(fate == Fate.NotReached, text);
            text.Contains("Stays in place: fix.", StringComparison.Ordinal).ShouldBe(changed && fate == Fate.Done, text);
            text.Contains("Cannot be undone and stays: fix.", StringComparison.Ordinal).ShouldBe(changed && fate == Fate.DoneWhileOthersWereUndone, text);
            text.Contains("Nobody knows whether fix happened.", StringComparison.Ordinal).ShouldBe(changed && fate == Fate.Unknown, text);
            text.Contains("May be half done: fix.", StringComparison.Ordinal).ShouldBe(changed && fate == Fate.Failed, text);
        }

        text.ShouldNotContain("  ");
        text.Trim().ShouldBe(text);
        text.ShouldEndWith(".");
    }

    [Theory]
    [InlineData(IncidentState.Resolved, Fate.Done, Checks.AllPass, Kind.Changes, "Resolved", "The fix was verified: full, stuck passed after it.")]
    [InlineData(IncidentState.Resolved, Fate.Done, Checks.None, Kind.Changes, "Done, not verified", "The steps ran. Nothing was checked after them.")]
    [InlineData(IncidentState.Resolved, Fate.Done, Checks.PassAsBefore, Kind.Changes, "Done, not verified", "The steps ran. full, stuck passed after them, as before them, so nothing shows whether they helped.")]
    [InlineData(IncidentState.Failed, Fate.LeftAlone, Checks.AllPass, Kind.Changes, "Failed, not taken back", "Nobody answered in time. NOT undone, and left alone: fix (It is at 9 pods).")]
    [InlineData(IncidentState.Resolved, Fate.DryRun, Checks.None, Kind.Changes, "Rehearsed", "Dry run: 1 step rehearsed. Nothing was touched, so nothing was fixed.")]
    [InlineData(IncidentState.Resolved, Fate.Done, Checks.None, Kind.TellsOnly, "Told, nothing changed", "This runbook only tells: nothing outside was changed.")]
    [InlineData(IncidentState.Resolved, Fate.Done, Checks.AllPass, Kind.TellsOnly, "Told, nothing changed", "This runbook only tells: nothing outside was changed. full, stuck passed afterwards.")]
    [InlineData(IncidentState.Resolved, Fate.NotReached, Checks.None, Kind.Changes, "Told, nothing changed", "This runbook has no steps: nothing was done.")]
    [InlineData(IncidentState.Resolved, Fate.Undone, Checks.AllPass, Kind.Changes, "Recovered, fix taken back", "The cause is gone, so the temporary fix was taken back: fix.")]
    [InlineData(IncidentState.Resolved, Fate.Kept, Checks.AllPass, Kind.Changes, "Recovered, fix left in place", "The cause is gone, so the temporary fix is needed no longer. Left it suspended; reactivate it by hand.")]
    [InlineData(IncidentState.Resolved, Fate.HandedOn, Checks.AllPass, Kind.Changes, "Recovered, fix handed on", "The cause is gone. The flag stays as it is: incident b changed it after this one.")]
    [InlineData(IncidentState.Resolved, Fate.AsBefore, Checks.AllPass, Kind.Changes, "Recovered, nothing changed", "The cause is gone. The flag was left as it is: this step had not changed it.")]
    [InlineData(IncidentState.Failed, Fate.AsBefore, Checks.None, Kind.Changes, "Failed", "Nobody answered in time. The flag was left as it is: this step had not changed it.")]
    [InlineData(IncidentState.Cancelled, Fate.HandedOn, Checks.None, Kind.Changes, "Stopped", "Nobody answered in time. The flag stays as it is: incident b changed it after this one.")]
    [InlineData(IncidentState.NotNeeded, Fate.NotReached, Checks.AllPass, Kind.Changes, "Nothing to do", "Every check passed; nothing was done.")]
    [InlineData(IncidentState.NotNeeded, Fate.NotReached, Checks.OneUnknown, Kind.Changes, "Nothing to do", "1 of 2 checks passed, 1 could not be answered. That does not call for the mitigation; nothing was done.")]
    [InlineData(IncidentState.NotNeeded, Fate.NotReached, Checks.OneFails, Kind.Changes, "Nothing to do", "1 of 2 checks passed, 1 failed. That does not call for the mitigation; nothing was done.")]
    [InlineData(IncidentState.Expired, Fate.NotReached, Checks.None, Kind.Changes, "Nobody answered", "Nobody answered in time. Nothing was done.")]
    [InlineData(IncidentState.Rejected, Fate.Undone, Checks.None, Kind.Changes, "Rejected", "Nobody answered in time. Undone: fix.")]
    [InlineData(IncidentState.Failed, Fate.UndoFailed, Checks.OneFails, Kind.Changes, "Failed, not undone", "Nobody answered in time. Not known to be undone: fix (the region is down).")]
    [InlineData(IncidentState.Failed, Fate.Unknown, Checks.None, Kind.Changes, "Failed, outcome unknown", "Nobody answered in time. Nobody knows whether fix happened.")]
    [InlineData(IncidentState.Cancelled, Fate.DryRun, Checks.None, Kind.Changes, "Stopped", "Nobody answered in time. It was a dry run: nothing was touched.")]
    [InlineData(IncidentState.TakenOver, Fate.Done, Checks.None, Kind.Changes, "Taken over by a person", "Nobody answered in time. Stays in place: fix.")]
    [InlineData(IncidentState.TakenOver, Fate.Done, Checks.None, Kind.TellsOnly, "Taken over by a person", "Nobody answered in time. Nothing outside was changed.")]
    public void Ending_ReadsLikeThis(IncidentState state, Fate fate, Checks checks, Kind kind, string headline, string text)
    {
        var incident = Make(state, fate, checks, kind);

        EndingText.Of(incident, "Nobody answered in time.", inResolution: false).ShouldBe(text);
        EndingText.Headline(incident).ShouldBe(headline);
    }

    [Theory]
    [InlineData(Fate.Done, Checks.AllPass, "The fix was verified, but the resolution did not run: ada rejected. Stays in place: fix.")]
    [InlineData(Fate.Done, Checks.None, "The mitigation ran, but the resolution did not run: ada rejected. Stays in place: fix.")]
    [InlineData(Fate.Undone, Checks.AllPass, "The cause is gone and the temporary fix was taken back, but the resolution did not run: ada rejected. Undone: fix.")]
    [InlineData(Fate.HandedOn, Checks.AllPass, "The cause is gone, but the resolution did not run: ada rejected. The flag stays as it is: incident b changed it after this one.")]
    [InlineData(Fate.DryRun, Checks.None, "The mitigation was rehearsed, but the resolution was not: ada rejected. It was a dry run: nothing was touched.")]
    [InlineData(Fate.NotReached, Checks.AllPass, "The mitigation changed nothing, but the resolution did not run: ada rejected. Nothing was done.")]
    public void EndInTheResolution_SaysHowTheMitigationStands(Fate fate, Checks checks, string text) =>
        EndingText.Of(Make(IncidentState.Rejected, fate, checks, Kind.Changes), "ada rejected", inResolution: true).ShouldBe(text);

    /// <summary>A server that nobody asks passes, and its check says that nothing shows whether it works.</summary>
    [Fact]
    public void CheckThatSaysWhatItDoesNotShow_IsRepeatedInTheEnding()
    {
        var resolved = Make(IncidentState.Resolved, Fate.Done, Checks.AllPass, Kind.Changes);
        var stuck = Some.Finding("stuck", Verdict.Passing);
        resolved = resolved with { Verification = [Some.Finding("full", Verdict.Passing), stuck with { Result = stuck.Result with { Caveat = "without a request to show it" } }] };

        EndingText.Of(resolved, "", inResolution: false).ShouldBe("The fix was verified: full, stuck passed after it; stuck without a request to show it.");
        EndingText.Of(resolved with { State = IncidentState.Rejected }, "ada rejected", inResolution: true)
            .ShouldBe("The fix was verified (stuck without a request to show it), but the resolution did not run: ada rejected. Stays in place: fix.");
    }

    [Fact]
    public void ManyRoundsOfChecks_TheLastOneIsToldOf()
    {
        var resolved = Make(IncidentState.Resolved, Fate.Done, Checks.AllPass, Kind.Changes);
        resolved = resolved with { VerificationRounds = [new(IncidentState.Verifying, Some.Time, new Dictionary<string, Verdict> { ["slow"] = Verdict.Passing }, 1), .. resolved.VerificationRounds] };

        EndingText.Of(resolved, "", inResolution: false).ShouldBe("The fix was verified: full, stuck passed after it.");
    }

    /// <summary>Another incident made the same change while this one waited its turn: no credit, and no excuse either.</summary>
    [Fact]
    public void WhatWasFoundSoWhenItsTurnCame_IsNotCreditedWithTheFix()
    {
        var begun = Make(IncidentState.Resolved, Fate.Done, Checks.AllPass, Kind.Changes);
        begun = begun with { Steps = [begun.Steps[0] with { Status = StepStatus.Running, FinishedAt = null }] };
        var resolved = begun.FinishStep(begun.Steps[0], StepStatus.Done, new("It had 4 pods already.") { FoundSo = true }, Some.Time);

        EndingText.Headline(resolved).ShouldBe("Done, nothing changed");
        EndingText.Of(resolved, "", inResolution: false).ShouldBe("Things were already as the mitigation makes them, so it changed nothing. full, stuck passed afterwards.");
        EndingText.IsFixed(resolved).ShouldBeFalse();
        EndingText.WasInVain(resolved with { State = IncidentState.Failed }).ShouldBeTrue("the breaker counts a shared fix that failed for each that was approved");
        resolved.MitigatedAt().ShouldBeNull();
    }

    /// <summary>Which is so while nothing of it succeeds, too.</summary>
    [Theory]
    [InlineData(Fate.Done, "Taking back")]
    [InlineData(Fate.UndoFailed, "Taking back")]
    [InlineData(Fate.Undone, "Verifying the fix")]
    public void WhileAnythingIsToBeTakenBack_TheHeadlineSaysSo(Fate fate, string headline) =>
        EndingText.Headline(Make(IncidentState.Verifying, fate, Checks.OneFails, Kind.Changes) with { UndoBeganAt = Some.Time }).ShouldBe(headline);

    /// <summary>Of what changed nothing, or passed all along, no time to mitigate is told.</summary>
    [Theory]
    [InlineData(Fate.Done, Checks.AllPass, Kind.Changes, false, true)]
    [InlineData(Fate.Undone, Checks.AllPass, Kind.Changes, false, true)]
    [InlineData(Fate.Done, Checks.OneFails, Kind.Changes, false, false)]
    [InlineData(Fate.Done, Checks.PassAsBefore, Kind.Changes, false, false)]
    [InlineData(Fate.Done, Checks.AllPass, Kind.Changes, true, false)]
    [InlineData(Fate.Done, Checks.AllPass, Kind.TellsOnly, false, false)]
    [InlineData(Fate.DryRun, Checks.AllPass, Kind.Changes, false, false)]
    public void Mitigated_IsWhatPassesOnlySinceItActed(Fate fate, Checks checks, Kind kind, bool wasSo, bool isMitigated)
    {
        var resolved = Make(IncidentState.Resolved, fate, checks, kind);
        resolved = resolved with { Steps = [resolved.Steps[0] with { Preparation = resolved.Steps[0].Preparation with { IsSo = wasSo } }] };

        (resolved.MitigatedAt() is not null).ShouldBe(isMitigated);
        IncidentReport.Moments(resolved).Any(moment => moment.What.StartsWith("The checks first passed", StringComparison.Ordinal)).ShouldBe(isMitigated);
    }

    [Theory]
    [InlineData("The check passed; nothing was done.", Verdict.Passing)]
    [InlineData("0 of 2 checks passed, 1 failed, 1 could not be answered. That does not call for the mitigation; nothing was done.", Verdict.Failing, Verdict.Unknown)]
    public void NotNeeded_CountsTheChecks(string text, params Verdict[] verdicts) =>
        EndingText.Of(Some.Incident() with { State = IncidentState.NotNeeded, Findings = [.. verdicts.Select(verdict => Some.Finding(verdict.ToString(), verdict))] }, "", inResolution: false).ShouldBe(text);

    [Theory]
    [InlineData(true, "The fix was verified, but the resolution did not run: it was enough. Undone: fix.")]
    [InlineData(false, "The cause is gone and the temporary fix was taken back, but the resolution did not run: it was enough. Undone: fix.")]
    public void TakenBackOnDemand_SaysNothingOfTheCause(bool takesBack, string text)
    {
        var stopped = Make(IncidentState.Cancelled, Fate.Undone, Checks.AllPass, Kind.Changes) with { Stop = new("ada", "enough", Some.Time, takesBack) };

        EndingText.Of(stopped, "it was enough", inResolution: true).ShouldBe(text);
    }

    /// <summary>Its checks may have failed: that a window, or a limit, kept it from running says nothing about them.</summary>
    [Theory]
    [InlineData(GateOutcome.DiagnosedOnly)]
    [InlineData(GateOutcome.Suppressed)]
    public void WhatWasHeldBack_IsNotToldAsNothingToDo(GateOutcome outcome)
    {
        var ended = Some.Waiting().CloseGate("mitigation-1", outcome, "Maintenance window 'patching': nothing runs in it.", Some.Time).End(IncidentState.NotNeeded, "Maintenance window 'patching': nothing runs in it.", Some.Time);

        EndingText.WithHeadline(ended).ShouldBe("Held back, nothing changed. Maintenance window 'patching': nothing runs in it.");
        IncidentSummary.Of(ended).ShouldSatisfyAllConditions(summary => summary.WasSuppressed.ShouldBeTrue(), summary => summary.Headline.ShouldBe("Held back, nothing changed"));
    }

    [Theory]
    [InlineData(true, "Waiting for a person to take it back")]
    [InlineData(false, "Waiting for a person to do it")]
    public void WorkByHand_IsNamedInTheHeadline(bool undoes, string headline) =>
        EndingText.Headline(Some.Waiting(gate: Some.Gate() with { Task = new("fix", "Turn the key.", [], Undoes: undoes) })).ShouldBe(headline);

    [Fact]
    public void NoCauseAndNoWords_LeaveNoGaps()
    {
        EndingText.Of(Make(IncidentState.Rejected, Fate.NotReached, Checks.None, Kind.Changes), " ", inResolution: false).ShouldBe("Nothing was done.");
        var kept = Make(IncidentState.Failed, Fate.Kept, Checks.None, Kind.Changes);
        EndingText.Of(kept with { Steps = [kept.Steps[0] with { Outcome = null }] }, "It broke.", inResolution: false).ShouldBe("It broke. fix was left as it is.");
    }

    [Fact]
    public void KeptOnPurpose_NeedsAPersonThoughTheIncidentIsResolved()
    {
        var ended = (Make(IncidentState.Holding, Fate.Kept, Checks.AllPass, Kind.Changes) with { Attention = null })
            .End(IncidentState.Resolved, "", Some.Time);

        ended.NeedsPerson.ShouldBeTrue();
        ended.Attention!.Why.ShouldBe("fix: Left it suspended; reactivate it by hand.");
    }
}
