using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Azure.AppConfiguration;
using Runbooks.Integrations.Azure.Banner;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit.Storage;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Integrations.Tests.Azure;

/// <summary>Two outages at a time: what both switch is switched back when the last of them is over, and not under the other.</summary>
public sealed partial class HeldValuesTests : OnTheSandbox
{
    private const string Flag = "appConfiguration.setFlag";
    private const string Banner = "banner.publish";
    private const string Pool = "apim.backendPool";
    private static readonly string s_service = Resource("Microsoft.ApiManagement/service", "gateway");
    private static readonly object s_on = new { flag = "local-model-only", create = true };
    private static readonly object s_share = new { service = s_service, pool = "openai", backend = "openai-paygo", priority = 1 };

    private static readonly Runbook s_lease = WithHold(new Hold(["stuck"], TimeSpan.FromMinutes(10), TimeSpan.FromHours(6), TimeSpan.FromSeconds(30)));
    private static readonly Runbook s_forGood = WithHold(null) with { Hash = "hash-2" };

    private readonly InMemoryIncidentStore _incidents = new();

    private static Runbook WithHold(Hold? hold)
    {
        var runbook = Given.Runbook();
        return runbook with { Mitigation = runbook.Mitigation with { HoldUntil = hold } };
    }

    protected override IServiceCollection Add(IServiceCollection services) => services.AddSingleton<IIncidentStore>(_incidents).AddAppConfiguration().AddBanner().AddApiManagement().AddAzureOpenAI().AddMachineLearning().AddTrafficManager().AddFrontDoor().AddAzureMonitor().AddKubernetes();

    private async Task<Preparation> DoAsync(string incident, string action, object with, Runbook? by = null, Preparation? prepared = null)
    {
        var (found, context) = (Action(action), ContextOf(incident) with { Time = new SkippingTime(Clock) });
        var preparation = prepared ?? await found.PrepareAsync(Bind(with, found.ParametersType), context, Cancel);
        var runbook = by ?? s_lease;
        await _incidents.OpenAsync(
            (Given.Incident(runbook, incident) with { Target = incident }).BeginStep(Given.Step("step"), Phase.Mitigation, "mitigation-1", preparation, Clock.GetUtcNow()), runbook, latest => null, Cancel);
        await found.ApplyAsync(Bind(with, found.ParametersType), preparation, context, Cancel);
        return preparation;
    }

    private async Task<string> TakeBackAsync(string incident, string action, Preparation preparation) => (await UndoAsync(incident, action, preparation)).Result;

    private async Task<ActionResult> UndoAsync(string incident, string action, Preparation preparation)
    {
        var context = ContextOf(incident) with { IdempotencyKey = $"{incident}:mitigation:step:undo", Time = new SkippingTime(Clock) };
        return await Action(action).UndoAsync(preparation.UndoState!.Value, context, Cancel);
    }

    /// <returns>Null when there is none.</returns>
    private async Task<string?> ValueAsync(string key)
    {
        var answer = await Http.GetAsync($"/appconfiguration/kv/{Uri.EscapeDataString(key)}?api-version=2023-11-01", Cancel);
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("value").GetString() : null;
    }

    private Task<string?> FlagAsync() => ValueAsync(".appconfig.featureflag/local-model-only");

    private async Task<string> ShareAsync() => (await ArmAsync($"{s_service}/backends/openai")).GetProperty("properties").GetProperty("pool").GetProperty("services").EnumerateArray()
        .Single(one => one.GetProperty("id").GetString()!.EndsWith("openai-paygo", StringComparison.Ordinal)).GetProperty("priority").GetRawText();

    [Fact]
    public async Task FirstOneEndsFirst_TheFlagStaysForTheSecond()
    {
        var first = await DoAsync("inc-a", Flag, s_on);
        var second = await DoAsync("inc-b", Flag, s_on);

        (await TakeBackAsync("inc-a", Flag, first)).ShouldBe("The feature flag local-model-only in App Configuration 'practice' stays as it is: incident inc-b holds it too. What was there before comes back when the last of them takes it back.");
        (await TakeBackAsync("inc-a", Flag, first)).ShouldContain("stays as it is", Case.Sensitive, "twice is the same as once");
        (await FlagAsync()).ShouldNotBeNull().ShouldContain("\"enabled\":true");

        (await TakeBackAsync("inc-b", Flag, second)).ShouldStartWith("Removed ");
        (await TakeBackAsync("inc-b", Flag, second)).ShouldContain("as it was before");
        (await FlagAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task SecondOneEndsFirst_TheFlagStaysForTheFirst()
    {
        var first = await DoAsync("inc-a", Flag, s_on);
        var second = await DoAsync("inc-b", Flag, s_on);

        var left = await UndoAsync("inc-b", Flag, second);
        (left.Result.Contains(" stays as it is: incident inc-a holds it too.", StringComparison.Ordinal), left.HandedOn).ShouldBe((true, true), left.Result);
        (await UndoAsync("inc-b", Flag, second)).ShouldBeEquivalentTo(left, "twice is the same as once");
        (await FlagAsync()).ShouldNotBeNull().ShouldContain("\"enabled\":true");

        (await UndoAsync("inc-a", Flag, first)).ShouldSatisfyAllConditions(back => back.HandedOn.ShouldBeFalse(), back => back.FoundSo.ShouldBeFalse());
        (await FlagAsync()).ShouldBeNull();
    }

    /// <summary>Its answer was lost, and the second one found what it had done: what was there before is still its to hand on.</summary>
    [Theory]
    [InlineData("inc-a", "inc-b")]
    [InlineData("inc-b", "inc-a")]
    public async Task FirstIsTriedAgainAndRefused_NoBannerIsLeft(string ends, string stays)
    {
        var with = new { message = "Provider a has problems." };
        var done = new Dictionary<string, Preparation> { ["inc-a"] = await DoAsync("inc-a", Banner, with), ["inc-b"] = await DoAsync("inc-b", Banner, new { message = "Provider b has problems." }) };
        await Should.ThrowAsync<StepRefusedException>(() => Action(Banner).ApplyAsync(Bind(with, Action(Banner).ParametersType), done["inc-a"], ContextOf("inc-a") with { Interrupted = done["inc-a"] }, Cancel));

        await TakeBackAsync(ends, Banner, done[ends]);
        await TakeBackAsync(stays, Banner, done[stays]);
        (await ValueAsync("banner")).ShouldBeNull();
    }

    /// <summary>Handed on by a version that named the incident, and run again by this one.</summary>
    [Fact]
    public async Task HandedOnToAnIncident_IsStillLeftToIt()
    {
        var first = await DoAsync("inc-a", Flag, s_on);
        await DoAsync("inc-b", Flag, s_on);
        var left = await UndoAsync("inc-a", Flag, first);
        await Services.GetRequiredService<ISharedState>().UpdateAsync<HeldValues.Holders<HeldText>, bool>(
            "held:'.appconfig.featureflag/local-model-only' in app configuration 'practice'", known => (new([.. known!.All.Select(one => one with { HandedTo = one.HandedTo is null ? null : "inc-b" })]), true), Cancel);

        (await UndoAsync("inc-a", Flag, first)).ShouldBeEquivalentTo(left);
        (await FlagAsync()).ShouldNotBeNull();
    }

    /// <summary>On call had switched it on by hand: it stays on, and nobody is told that it was taken back.</summary>
    [Fact]
    public async Task WhatWasSoBefore_IsNotCalledTakenBack()
    {
        (await Http.PutAsJsonAsync("/appconfiguration/kv/.appconfig.featureflag%2Flocal-model-only?api-version=2023-11-01", new { value = """{"id":"local-model-only","enabled":true}""" }, Cancel)).EnsureSuccessStatusCode();
        var first = await DoAsync("inc-a", Flag, s_on);
        var second = await DoAsync("inc-b", Flag, s_on);

        foreach (var (incident, done) in ((string, Preparation)[])[("inc-a", first), ("inc-b", second), ("inc-b", second)])
        {
            var left = await UndoAsync(incident, Flag, done);
            (left.Result, left.FoundSo, left.HandedOn).ShouldBe(("The feature flag local-model-only in App Configuration 'practice' was left as it is: this step had not changed it.", true, false));
        }

        (await FlagAsync()).ShouldNotBeNull().ShouldContain("\"enabled\":true");
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("acb")]
    [InlineData("bac")]
    [InlineData("bca")]
    [InlineData("cab")]
    [InlineData("cba")]
    public async Task HoweverTheyEnd_NoBannerIsLeft(string order)
    {
        var done = new Dictionary<char, Preparation>();
        foreach (var one in "abc")
        {
            done[one] = await DoAsync($"inc-{one}", Banner, new { message = $"Provider {one} has problems." });
        }

        foreach (var (place, one) in order.Index())
        {
            var left = order[(place + 1)..];
            (await UndoAsync($"inc-{one}", Banner, done[one])).HandedOn.ShouldBe(left.Any(other => other > one));
            (await ValueAsync("banner")).ShouldBe(left.Length == 0 ? null : JsonSerializer.Serialize(new { message = $"Provider {left.Max()} has problems.", severity = "warning", incident = $"inc-{left.Max()}" }));
        }

        (await DoAsync("inc-d", Banner, new { message = "Again." })).Undo.ShouldBe("Take the banner away.");
    }

    public static TheoryData<string, object> Held => new()
    {
        { "apim.backendPool", s_share },
        { "apim.suspendSubscription", new { service = s_service, subscription = "user-7" } },
        { "azureOpenAI.spillOver", new { account = Resource("Microsoft.CognitiveServices/accounts", "assist"), deployment = "gpt-4o-ptu", to = "gpt-4o-paygo" } },
        { "azureMl.trafficSplit", new { workspace = Resource("Microsoft.MachineLearningServices/workspaces", "ml"), endpoint = "answers", deployment = "blue", percent = 0 } },
        { "trafficManager.reroute", new { profile = Resource("Microsoft.Network/trafficManagerProfiles", "assist"), from = "cluster-b" } },
        { "frontDoor.reroute", new { profile = Resource("Microsoft.Cdn/profiles", "assist"), originGroup = "clusters", from = "cluster-b" } },
        { "envoyAiGateway.route", new { @namespace = "chat", route = "assist", backend = "openai-paygo", priority = 0, weight = 3 } },
        { "kubernetes.scaleDeployment", new { @namespace = "chat", deployment = "chat-vllm", add = 2, max = 8 } },
    };

    [Theory, MemberData(nameof(Held))]
    public async Task WhateverBothChanged_GoesBackWhenTheLastOneEnds(string action, object with)
    {
        var before = (await PrepareAsync(action, with)).Identity;
        var first = await DoAsync("inc-a", action, with);
        var second = await DoAsync("inc-b", action, with);
        var changed = (await PrepareAsync(action, with)).Identity;

        var handedOn = await UndoAsync("inc-a", action, first);
        (handedOn.Result.Contains(" stays as it is: incident inc-b holds it too.", StringComparison.Ordinal), handedOn.HandedOn).ShouldBe((true, true), handedOn.Result);
        (await PrepareAsync(action, with)).Identity.ShouldBe(changed);

        (await UndoAsync("inc-b", action, second)).HandedOn.ShouldBeFalse();
        (await PrepareAsync(action, with)).Identity.ShouldBe(before);
    }

    /// <summary>Both were asked before the first one acted: the second yes holds, and names no version of anything.</summary>
    [Theory, MemberData(nameof(Held))]
    [InlineData(Flag, null)]
    [InlineData(Banner, null)]
    public async Task ApprovedTogether_TheSecondYesHolds(string action, object? with)
    {
        var values = with ?? (action == Flag ? s_on : new { message = "Paused." });
        var (shown, found) = (await PrepareAsync(action, values), Action(action));
        var step = new PlannedStep(Phase.Mitigation, "step", action, JsonSerializer.SerializeToElement(values), shown.PlannedEffect, shown.Undo, shown.Identity);
        await DoAsync("inc-a", action, values);

        // Two more of five is another plan than two more of three.
        var now = await PrepareAsync(action, values);
        (PlanHash.Difference(step, step.Parameters, now) is null).ShouldBe(action != "kubernetes.scaleDeployment", PlanHash.Difference(step, step.Parameters, now));
        now.IsSo.ShouldBe(action is not ("kubernetes.scaleDeployment" or Banner));
    }

    /// <summary>What on call has put there stands on the card, or they are asked about it.</summary>
    [Fact]
    public async Task BannerOfAPerson_IsAnotherPlan()
    {
        var shown = await PrepareAsync(Banner, new { message = "Paused." });
        (await Http.PutAsJsonAsync("/appconfiguration/kv/banner?api-version=2023-11-01", new { value = "{\"message\":\"ours\"}" }, Cancel)).EnsureSuccessStatusCode();

        (await PrepareAsync(Banner, new { message = "Paused." })).Identity.ShouldNotBe(shown.Identity);
    }

    private Task ChangeAsync(string incident, Func<Incident, Incident> change) => _incidents.UpdateAsync(incident, i => (change(i), true), Cancel);

    private static StepRecord Ended(Incident incident, StepStatus status) => incident.Steps[0] with { Status = status };

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
                .ShouldBe("The feature flag local-model-only in App Configuration 'practice' was left alone: incident inc-b changed it too and does not take it back.");
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
                .ShouldBe("The feature flag local-model-only in App Configuration 'practice' was left alone: incident inc-b changed it too and means to keep it.");
        }

        await ChangeAsync("inc-b", i => i with { UndoBeganAt = Clock.GetUtcNow() });
        (await TakeBackAsync("inc-b", Flag, second)).ShouldStartWith("Removed ");
        (await FlagAsync()).ShouldBeNull();
    }

    /// <summary>An attempt of which nothing came holds nothing, though its incident is open.</summary>
    [Fact]
    public async Task SecondWaitsForItsTurn_NothingIsHandedOnToIt()
    {
        var first = await DoAsync("inc-a", Flag, s_on);
        await DoAsync("inc-b", Flag, s_on);
        await ChangeAsync("inc-b", i => i.ForgetBegin(Phase.Mitigation, "step", 1));

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

    /// <summary>The one looked before the other wrote, and finds what it was to put there.</summary>
    [Theory]
    [InlineData("inc-a", "inc-b")]
    [InlineData("inc-b", "inc-a")]
    public async Task BothWereAboutTo_TheFlagStaysUntilBothHaveEnded(string ends, string stays)
    {
        var late = await PrepareAsync(Flag, s_on);
        var done = new Dictionary<string, Preparation> { ["inc-a"] = await DoAsync("inc-a", Flag, s_on), ["inc-b"] = await DoAsync("inc-b", Flag, s_on, prepared: late) };

        (await UndoAsync(ends, Flag, done[ends])).HandedOn.ShouldBeTrue();
        (await FlagAsync()).ShouldNotBeNull();
        (await TakeBackAsync(stays, Flag, done[stays])).ShouldStartWith("Removed ");
        (await FlagAsync()).ShouldBeNull();
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

    [Fact]
    public async Task ShareOfABackend_StaysForTheSecond()
    {
        var first = await DoAsync("inc-a", Pool, s_share);
        var second = await DoAsync("inc-b", Pool, s_share);

        (await TakeBackAsync("inc-a", Pool, first)).ShouldStartWith("The share of openai-paygo in backend pool openai of gateway stays as it is: incident inc-b holds it too.");
        (await ShareAsync()).ShouldBe("1");

        (await TakeBackAsync("inc-b", Pool, second)).ShouldBe("Gave openai-paygo priority 2 and weight 100 again, as before.");
        (await ShareAsync()).ShouldBe("2");
    }

    [Fact]
    public async Task SameNamesInAnotherGroup_AreAnotherValue()
    {
        var first = await DoAsync("inc-a", Pool, s_share);
        await DoAsync("inc-b", Pool, new { service = s_service.Replace("/resourceGroups/", "/resourceGroups/other-", StringComparison.Ordinal), pool = "openai", backend = "openai-paygo", priority = 1 });

        (await TakeBackAsync("inc-a", Pool, first)).ShouldBe("Gave openai-paygo priority 2 and weight 100 again, as before.");
    }

    [Fact]
    public async Task ValueThatSomebodyChanged_IsLeftAloneByBoth()
    {
        var first = await DoAsync("inc-a", Banner, new { message = "One." });
        var second = await DoAsync("inc-b", Banner, new { message = "Two." });
        (await Http.PutAsJsonAsync("/appconfiguration/kv/banner?api-version=2023-11-01", new { value = "{\"message\":\"ours\"}" }, Cancel)).EnsureSuccessStatusCode();

        await Should.ThrowAsync<ChangedSinceException>(() => TakeBackAsync("inc-a", Banner, first));
        await Should.ThrowAsync<ChangedSinceException>(() => TakeBackAsync("inc-b", Banner, second));

        (await ValueAsync("banner")).ShouldBe("{\"message\":\"ours\"}");
    }
}
