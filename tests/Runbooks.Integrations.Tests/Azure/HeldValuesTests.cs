using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Azure.AppConfiguration;
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
    private const string FlagKey = ".appconfig.featureflag/local-model-only";
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

    protected override IServiceCollection Add(IServiceCollection services) => services.AddSingleton<IIncidentStore>(_incidents).AddAppConfiguration().AddBanner().AddApiManagement().AddAzureOpenAI().AddMachineLearning().AddTrafficManager().AddFrontDoor().AddAzureMonitor().AddKubernetes().AddLiteLlm();

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

    private static string AddressOf(string key) => $"/appconfiguration/kv/{Uri.EscapeDataString(key)}?api-version=2023-11-01";

    /// <returns>Null when there is none.</returns>
    private async Task<string?> ValueAsync(string key)
    {
        var answer = await Http.GetAsync(AddressOf(key), Cancel);
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("value").GetString() : null;
    }

    /// <summary>As a person does with the portal.</summary>
    private async Task PutValueAsync(string key, string value) => (await Http.PutAsJsonAsync(AddressOf(key), new { value }, Cancel)).EnsureSuccessStatusCode();

    private Task<string?> FlagAsync() => ValueAsync(FlagKey);

    private Task ChangeAsync(string incident, Func<Incident, Incident> change) => _incidents.UpdateAsync(incident, i => (change(i), true), Cancel);

    private static StepRecord Ended(Incident incident, StepStatus status) => incident.Steps[0] with { Status = status };

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
        (await Should.ThrowAsync<StepRefusedException>(() => Action(Banner).ApplyAsync(Bind(with, Action(Banner).ParametersType), done["inc-a"], ContextOf("inc-a") with { Interrupted = done["inc-a"] }, Cancel)))
            .Message.ShouldContain(" was changed by somebody else in the meantime.");

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
        await PutValueAsync(FlagKey, """{"id":"local-model-only","enabled":true}""");
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
        await PutValueAsync("banner", "{\"message\":\"ours\"}");

        await Should.ThrowAsync<ChangedSinceException>(() => TakeBackAsync("inc-a", Banner, first));
        await Should.ThrowAsync<ChangedSinceException>(() => TakeBackAsync("inc-b", Banner, second));

        (await ValueAsync("banner")).ShouldBe("{\"message\":\"ours\"}");
    }
}
