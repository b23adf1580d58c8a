using System.Text.Json;
using Runbooks.Model.Definition;
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

    [Theory]
    [InlineData(false, "llm-b-0", "uid 5f0c", "uid 5f0c", null)]
    [InlineData(false, "llm-b-1", "uid 5f0c", "uid 5f0c", "Step 'recycle' would run with {\"pod\":\"llm-b-1\"} instead of {\"pod\":\"llm-b-0\"}.")]
    [InlineData(false, "llm-b-0", "uid 5f0c", "uid 77aa", "Step 'recycle': what it acts on is not as it was shown: it was uid 5f0c, and is uid 77aa.")]
    [InlineData(false, "llm-b-0", "uid 5f0c", null, "Step 'recycle': what it acts on is not as it was shown: it was uid 5f0c, and is gone.")]
    [InlineData(false, "llm-b-0", null, "uid 77aa", null)]
    [InlineData(true, "llm-b-1", "uid 5f0c", "uid 77aa", null)]
    public void OtherThanPlanned_IsSaid(bool deferred, string pod, string? planned, string? now, string? difference) =>
        PlanHash.Difference(Some.Step() with { Parameters = Pod("llm-b-0"), Identity = planned, Deferred = deferred }, Pod(pod), new() { PlannedEffect = "", Identity = now }).ShouldBe(difference);

    /// <summary>Another incident did in the meantime what both were approved to do.</summary>
    [Theory]
    [InlineData("llm-b-0", true)]
    [InlineData("llm-b-1", false)]
    public void WhatIsSoAlready_IsNoOtherPlanWhateverWasShown(string pod, bool isSame) =>
        (PlanHash.Difference(Some.Step() with { Parameters = Pod("llm-b-0"), Identity = "off" }, Pod(pod), new() { PlannedEffect = "", Identity = "on", IsSo = true }) is null).ShouldBe(isSame);

    [Theory]
    [InlineData(false)]
    [InlineData(false, true, false)]
    [InlineData(true, true, true)]
    public void PlanThatOnlyTells_HasStepsAndEachOfThemTells(bool tellsOnly, params bool[] steps) =>
        new Plan("plan-1", [.. steps.Select(tells => Some.Step() with { TellsOnly = tells })]).TellsOnly.ShouldBe(tellsOnly);

    [Theory]
    [InlineData(Phase.Mitigation, "Put it back.", "Undo: Put it back.")]
    [InlineData(Phase.Mitigation, null, "Cannot be undone.")]
    [InlineData(Phase.Resolution, "Put it back.", null)]
    [InlineData(Phase.Resolution, null, "Cannot be undone.")]
    public void LineAboutUndoing_StandsWhereItMatters(Phase phase, string? undo, string? line) =>
        (Some.Step() with { Phase = phase, Undo = undo }).UndoLine.ShouldBe(line);

    [Theory]
    [InlineData(true, "Put it back.", false, Phase.Mitigation)]
    [InlineData(false, "Put it back.", true, Phase.Mitigation)]
    [InlineData(false, null, false, Phase.Mitigation)]
    [InlineData(false, "Put it back.", false, Phase.Resolution)]
    public void Reversible_IsWhatWeTakeBackWhole(bool reversible, string? undo, bool byHand, Phase phase)
    {
        var second = Some.Step("second") with { Phase = phase, Undo = undo, UndoneByHand = byHand };

        new Plan("plan-1", [Some.Step() with { Undo = "Put it back." }, second]).Reversible.ShouldBe(reversible);
        new Plan("plan-1", [second with { TellsOnly = true }]).Reversible.ShouldBeTrue();
    }

    private static JsonElement Pod(string name) => JsonSerializer.SerializeToElement(new { pod = name });
}
