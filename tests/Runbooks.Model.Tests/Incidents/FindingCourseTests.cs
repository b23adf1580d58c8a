using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

public sealed class FindingCourseTests
{
    [Fact]
    public void BeforeAndAfter_StandAtTheTimesAtWhichTheyWereMeasured()
    {
        var course = FindingCourse.Of(Ended()).ShouldHaveSingleItem();

        course.Before.Select(point => ((point.At - Some.Time).TotalMinutes, point.Value)).ShouldBe([(-10, 90), (-5, 95), (0, 98)]);
        course.After.Select(point => ((point.At - Some.Time).TotalMinutes, point.Value)).ShouldBe([(20, 40), (30, 30)]);
        (course.Limit, course.Unit, course.Points.Min(point => point.Value), course.Points.Max(point => point.Value)).ShouldBe((95, "%", 30, 98));
    }

    [Fact]
    public void WhatHappened_IsMarkedInItsOrder() =>
        FindingCourse.Of(Ended()).Single().Marks.Select(mark => ((mark.At - Some.Time).TotalMinutes, mark.What))
            .ShouldBe([(0, "the alert came"), (2, "ada approved this"), (3, "recycle began"), (31, $"it ended: {EndingText.Headline(Ended())}")]);

    [Fact]
    public void EndThatAPersonClosedLater_IsMarkedWhenItCame()
    {
        var failed = Ended() with { State = IncidentState.Failed, Attention = new(Some.Time.AddMinutes(31), "It failed.") };

        FindingCourse.Of(failed.CloseByHand("ben", "replaced the card", Some.Time.AddHours(6))).Single().Marks[^1].ShouldBe(new(Some.Time.AddMinutes(31), "it ended: Failed, outcome unknown"));
    }

    [Fact]
    public void AnswersOfTheSameMinutes_AreDrawnOnce()
    {
        var incident = Ended() with { Verification = [Measured(5, 95, 98, 50)] };

        FindingCourse.Of(incident).Single().After.ShouldHaveSingleItem().Value.ShouldBe(50);
    }

    /// <summary>A source may know of a time minutes later: what was before a step is not drawn after it.</summary>
    [Fact]
    public void ValuesOfAnEarlierTime_StandThereAndNotWhereTheyWereAskedFor()
    {
        var incident = Ended() with { Findings = [Until(-2, Measured(0, 90, 95, 98))], Verification = [Until(5, Measured(7, 95, 98, 50))] };

        var course = FindingCourse.Of(incident).Single();

        course.Before.Select(point => ((point.At - Some.Time).TotalMinutes, point.Value)).ShouldBe([(-12, 90), (-7, 95), (-2, 98)]);
        course.After.Select(point => ((point.At - Some.Time).TotalMinutes, point.Value)).ShouldBe([(0, 98), (5, 50)]);
    }

    [Fact]
    public void ValuesWithoutTimes_AreNoCourse() =>
        FindingCourse.Of(Ended() with { Findings = [Some.Finding()], Verification = [] }).ShouldBeEmpty();

    private static Incident Ended()
    {
        var incident = Some.Waiting() with { Findings = [Measured(0, 90, 95, 98)] };
        incident = incident.Decide(incident.OpenGate!.Id, new Decision(DecisionVerb.Approve, "ada", "api", Some.Time.AddMinutes(2))).Incident;
        incident = incident.BeginStep(new StepSpec("recycle", "kubernetes.recyclePod", default, StepSpec.DefaultTimeout, StepRetry.Default), Phase.Mitigation, incident.Gates[0].Id, new Preparation { PlannedEffect = "Delete it." }, Some.Time.AddMinutes(3));
        return incident.End(IncidentState.Resolved, "It helped.", Some.Time.AddMinutes(31)) with { Verification = [Measured(30, double.NaN, 40, 30)] };
    }

    private static Finding Until(int minute, Finding finding) => finding with { Result = finding.Result with { SeriesUntil = Some.Time.AddMinutes(minute) } };

    private static Finding Measured(int minute, params double[] values) => new(
        "memory", "Is the GPU memory full?", CheckResult.Failing("x") with { Unit = "%", Threshold = "> 95", Series = values, SeriesSpan = TimeSpan.FromMinutes(minute == 30 ? 20 : 10) },
        Some.Time.AddMinutes(minute), TimeSpan.Zero);
}
