using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using static Runbooks.Model.Tests.Incidents.EndedIncidents;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>How an incident's end reads when not only one step acted.</summary>
public sealed class EndingOfTwoStepsTests
{
    [Theory]
    [InlineData(StepStatus.Unknown, "Failed, outcome unknown", "It broke. Nobody knows whether second happened. Stays in place: fix.")]
    [InlineData(StepStatus.UndoFailed, "Failed, not undone", "It broke. Not known to be undone: second (Second.). Stays in place: fix.")]
    [InlineData(StepStatus.Done, "Failed", "It broke. Stays in place: fix, second.")]
    public void OneOfTwoSteps_IsEnoughToBeSaid(StepStatus second, string headline, string text)
    {
        var incident = WithSecond(Make(IncidentState.Failed, Fate.Done, Checks.None, Kind.Changes), Phase.Mitigation, second);

        (EndingText.Headline(incident), EndingText.Of(incident, "It broke", inResolution: false)).ShouldBe((headline, text));
    }

    /// <summary>What a step found so is no change of ours.</summary>
    [Theory]
    [InlineData(false, "The fix was verified, but the resolution did not run: ada rejected. Stays in place: fix. Was so already: second.")]
    [InlineData(true, "The mitigation changed nothing, but the resolution did not run: ada rejected. Was so already: fix, second.")]
    public void StepThatFoundThingsSo_IsNotSaidToStayInPlace(bool both, string text)
    {
        var incident = WithSecond(Make(IncidentState.Rejected, Fate.Done, Checks.AllPass, Kind.Changes), Phase.Mitigation, StepStatus.Done);

        EndingText.Of(incident with { Steps = [.. incident.Steps.Select(step => step with { Preparation = step.Preparation with { IsSo = both || step.Name == "second" } })] }, "ada rejected", inResolution: true)
            .ShouldBe(text);
    }

    [Fact]
    public void ResolutionThatChangedMore_TakesNothingFromTheVerifiedFix()
    {
        var resolved = WithSecond(Make(IncidentState.Resolved, Fate.Done, Checks.AllPass, Kind.Changes), Phase.Resolution, StepStatus.Done);

        EndingText.Of(resolved, "", inResolution: false).ShouldBe("The fix was verified: full, stuck passed after it.");
        EndingText.Of(resolved with { State = IncidentState.Failed }, "it broke", inResolution: true).ShouldBe("The fix was verified, but the resolution did not finish: it broke. Stays in place: fix, second.");
    }

    [Fact]
    public void OnlyTheResolutionChangedAnything_ChecksBeforeItVerifiedNoFix()
    {
        var resolved = WithSecond(Make(IncidentState.Resolved, Fate.Done, Checks.AllPass, Kind.TellsOnly), Phase.Resolution, StepStatus.Done);

        (EndingText.Headline(resolved), EndingText.Of(resolved, "", inResolution: false)).ShouldBe(("Done, not verified", "The steps ran. Nothing was checked after them."));
    }

    /// <summary>Of steps that came to different ends, the headline names what people have to know.</summary>
    [Theory]
    [InlineData(IncidentState.Resolved, Fate.Undone, Phase.Mitigation, StepStatus.HandedOn, "Recovered, fix handed on")]
    [InlineData(IncidentState.Resolved, Fate.Undone, Phase.Mitigation, StepStatus.AsBefore, "Recovered, fix taken back")]
    [InlineData(IncidentState.Resolved, Fate.AsBefore, Phase.Mitigation, StepStatus.Kept, "Recovered, fix left in place")]
    [InlineData(IncidentState.Resolved, Fate.AsBefore, Phase.Resolution, StepStatus.Done, "Recovered, nothing to take back")]
    [InlineData(IncidentState.Failed, Fate.LeftAlone, Phase.Mitigation, StepStatus.Undone, "Failed, not taken back")]
    public void StepsThatEndedDifferently_AreNamedByWhatCounts(IncidentState state, Fate first, Phase phase, StepStatus second, string headline) =>
        EndingText.Headline(WithSecond(Make(state, first, Checks.AllPass, Kind.Changes), phase, second)).ShouldBe(headline);

    private static Incident WithSecond(Incident incident, Phase phase, StepStatus status) => incident with
    {
        Steps =
        [
            .. incident.Steps,
            incident.Steps[0] with { Phase = phase, Name = "second", Status = status, Outcome = "Second.", Preparation = incident.Steps[0].Preparation with { TellsOnly = false } },
        ],
    };
}
