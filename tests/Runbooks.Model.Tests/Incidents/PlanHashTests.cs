using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Nobody approves anything but what they were shown.</summary>
public sealed class PlanHashTests
{
    public static TheoryData<string, PlannedStep> Changes => new()
    {
        { "effect", Some.Step() with { PlannedEffect = "Delete every pod." } },
        { "undo", Some.Step() with { Undo = "Put it back." } },
        { "undone by hand", Some.Step() with { UndoneByHand = true } },
        { "identity", Some.Step() with { Identity = "uid 77aa" } },
        { "action", Some.Step() with { Action = "kubernetes.drainNode" } },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void WhatWasShownIsAnother_HashIsAnother(string what, PlannedStep step) =>
        PlanHash.Of(Some.Incident(), [step]).ShouldNotBe(PlanHash.Of(Some.Incident(), [Some.Step()]), what);

    [Fact]
    public void SamePlan_SameHash() => PlanHash.Of(Some.Incident(), [Some.Step()]).ShouldBe(PlanHash.Of(Some.Incident(), [Some.Step()]));
}
