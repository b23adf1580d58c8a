using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Azure.AppConfiguration;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Integrations.Tests.Azure;

/// <content>One of the two keeps what it did, or never did it: nothing is left to who will not take it back.</content>
public sealed partial class HeldValuesTests
{
    public static TheoryData<string, Func<Incident, Incident>> Staying => new()
    {
        { "could not take it back", i => i with { State = IncidentState.Failed, Steps = [Ended(i, StepStatus.UndoFailed)] } },
        { "taken over", i => i with { State = IncidentState.TakenOver, Steps = [Ended(i, StepStatus.Done)] } },
        { "meant to stay", i => i with { State = IncidentState.Resolved, Steps = [Ended(i, StepStatus.Done)] } },
        { "kept while the resolution runs", i => i with { State = IncidentState.Resolving, Steps = [Ended(i, StepStatus.Kept)] } },
        { "left to a person", i => i with { State = IncidentState.Holding, Steps = [i.Steps[0] with { Status = StepStatus.Done, Preparation = i.Steps[0].Preparation with { UndoneByHand = true } }] } },
    };

    /// <summary>Nobody would ever take it back, and nobody would be told.</summary>
    [Theory, MemberData(nameof(Staying))]
    public async Task SecondTakesNothingBack_TheFirstHandsNothingOnAndAPersonIsTold(string how, Func<Incident, Incident> ends)
    {
        var first = await DoAsync("inc-a", Flag, s_on);
        await DoAsync("inc-b", Flag, s_on);
        await ChangeAsync("inc-b", ends);

        for (var time = 0; time < 2; time++)
        {
            (await Should.ThrowAsync<ChangedSinceException>(() => TakeBackAsync("inc-a", Flag, first), how)).Message
                .ShouldBe("The feature flag local-model-only in App Configuration 'practice' was left alone: incident inc-b holds it too and does not take it back.");
        }

        (await FlagAsync()).ShouldNotBeNull().ShouldContain("\"enabled\":true");
    }

    /// <summary>Without a lease a fix stays once it is seen to work; as long as it is not, it may still be taken back.</summary>
    [Theory]
    [InlineData(IncidentState.Mitigating)]
    [InlineData(IncidentState.Verifying)]
    [InlineData(IncidentState.Resolving)]
    public async Task SecondMeansToKeepIt_APersonIsToldAndNothingIsLostWhereItsFixDoesNotHelp(IncidentState state)
    {
        var first = await DoAsync("inc-a", Flag, s_on);
        var second = await DoAsync("inc-b", Flag, s_on, s_forGood);
        await ChangeAsync("inc-b", i => i with { State = state, Steps = [Ended(i, StepStatus.Done)] });

        for (var time = 0; time < 2; time++)
        {
            (await Should.ThrowAsync<ChangedSinceException>(() => TakeBackAsync("inc-a", Flag, first))).Message
                .ShouldBe("The feature flag local-model-only in App Configuration 'practice' was left alone: incident inc-b holds it too and means to keep it.");
        }

        await ChangeAsync("inc-b", i => i with { UndoBeganAt = Clock.GetUtcNow() });
        (await TakeBackAsync("inc-b", Flag, second)).ShouldStartWith("Removed ");
        (await FlagAsync()).ShouldBeNull();
    }

    /// <summary>Whoever stopped it before its resolution was told that its fix is taken back: it keeps nothing.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SecondIsStoppedAndTakesItsFixBack_ItIsLeftToThat(bool askedForIt)
    {
        var first = await DoAsync("inc-a", Flag, s_on);
        await DoAsync("inc-b", Flag, s_on, s_forGood);
        await ChangeAsync("inc-b", i => i with
        {
            State = IncidentState.Verifying,
            Steps = [Ended(i, StepStatus.Done)],
            Stop = new("ada", "wrong flag", Clock.GetUtcNow(), askedForIt) { BeforeResolution = !askedForIt },
        });

        (await UndoAsync("inc-a", Flag, first)).HandedOn.ShouldBeTrue();
        (await FlagAsync()).ShouldNotBeNull();
    }

    /// <summary>An attempt of which nothing came holds nothing, though its incident is open.</summary>
    [Fact]
    public async Task SecondWaitsForItsTurn_NothingIsHandedOnToIt()
    {
        var first = await DoAsync("inc-a", Flag, s_on);
        await DoAsync("inc-b", Flag, s_on);
        await ChangeAsync("inc-b", i => i.ForgetBegin(Phase.Mitigation, "step", before: null));

        (await TakeBackAsync("inc-a", Flag, first)).ShouldStartWith("Removed ");
        (await FlagAsync()).ShouldBeNull();
    }

    /// <summary>What was never come to must not take away what another one did.</summary>
    [Fact]
    public async Task FirstDiedBeforeItActed_TakesNothingAwayFromTheSecond()
    {
        var first = await PrepareAsync(Flag, s_on);
        var second = await DoAsync("inc-b", Flag, s_on);

        (await UndoAsync("inc-a", Flag, first)).HandedOn.ShouldBeTrue();
        (await FlagAsync()).ShouldNotBeNull();
        (await TakeBackAsync("inc-b", Flag, second)).ShouldStartWith("Removed ");
    }

    [Fact]
    public async Task SecondNeverDidIt_TheFirstTakesItBack()
    {
        var first = await DoAsync("inc-a", Flag, s_on);
        await DoAsync("inc-b", Flag, s_on);
        await ChangeAsync("inc-b", i => i with { State = IncidentState.Failed, Steps = [] });

        (await TakeBackAsync("inc-a", Flag, first)).ShouldStartWith("Removed ");
        (await FlagAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task OneAfterTheOtherThatTakesNothingBack_IsForgottenByTheNext()
    {
        foreach (var incident in (string[])["inc-a", "inc-b", "inc-c"])
        {
            await DoAsync(incident, Flag, s_on);
            await ChangeAsync(incident, i => i with { State = IncidentState.Resolved, Steps = [Ended(i, StepStatus.Kept)] });
        }

        var known = await Services.GetRequiredService<ISharedState>().FindAsync<HeldValues.Holders<HeldText>>("held:'.appconfig.featureflag/local-model-only' in app configuration 'practice'", Cancel);
        known.ShouldNotBeNull().All.ShouldHaveSingleItem().Incident.ShouldBe("inc-c");
    }
}
