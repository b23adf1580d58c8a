using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.LiteLlm;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.LiteLlm;

public sealed class ModelRouteTests : OnTheSandbox
{
    private const string Route = "litellm.modelRoute";
    private static readonly object s_away = With();

    protected override IServiceCollection Add(IServiceCollection services) => services.AddLiteLlm();

    private static object With(string model = "gpt-4o", string deployment = "ptu", int weight = 0, string? proxy = null) => new { proxy, model, deployment, weight };

    private async Task<string> WeightsAsync() => string.Join(", ", (await StateAsync()).GetProperty("apis").GetProperty("litellm").EnumerateArray()
        .Where(model => model.GetProperty("model_name").GetString() == "gpt-4o").Select(model => $"{model.GetProperty("model_info").GetProperty("id")} {model.GetProperty("litellm_params").GetProperty("weight")}"));

    private async Task SomebodyElseAsync(string id, int weight)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/litellm/model/{id}/update") { Content = JsonContent.Create(new { litellm_params = new { weight } }) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "practice");
        (await Http.SendAsync(request, Cancel)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task Weight_IsChangedAndGoesBackToTheExactNumber()
    {
        var preparation = await PrepareAsync(Route, s_away);
        preparation.PlannedEffect.ShouldBe("Give ptu (azure/gpt-4o-ptu) the weight 0 for gpt-4o in LiteLLM 'practice' (now ptu 9, paygo 1). The traffic then goes to: ptu 0 %, paygo 100 % (now ptu 90 %, paygo 10 %). Teams and keys with weights of their own for it may go by those instead.");
        preparation.Undo.ShouldBe("Give it the weight 9 again.");

        (await ApplyAsync(Route, s_away, preparation)).Result.ShouldBe("ptu has the weight 0 for gpt-4o.");
        (await SentAsync())[^1].ShouldSatisfyAllConditions(
            sent => sent.Request.ShouldBe("PATCH /litellm/model/ptu/update"),
            sent => sent.Body.ShouldBeGolden("model-route"));
        (await WeightsAsync()).ShouldBe("ptu 0, paygo 1");
        (await ApplyAsync(Route, s_away, preparation, interrupted: preparation)).Result.ShouldBe("ptu had the weight 0 when this attempt came to it, by an earlier attempt or by somebody else.");

        (await UndoAsync(Route, preparation)).Result.ShouldBe("ptu has the weight 9 again, as before.");
        (await WeightsAsync()).ShouldBe("ptu 9, paygo 1");
        (await UndoAsync(Route, preparation)).Result.ShouldBe("ptu has the weight 9, as it was before.");
    }

    [Fact]
    public async Task WeightThatSomebodyElseChanged_IsLeft()
    {
        var preparation = await PrepareAsync(Route, s_away);
        await SomebodyElseAsync("ptu", 4);

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Route, s_away, preparation))).Message
            .ShouldBe("gpt-4o was changed by somebody else in the meantime: ptu has the weight 4. Nothing was overwritten.");
    }

    [Theory]
    [InlineData("gpt-5", "ptu", 1, "LiteLLM serves no model gpt-5.")]
    [InlineData("gpt-4o", "nobody", 1, "No deployment nobody serves gpt-4o. There are: ptu (azure/gpt-4o-ptu), paygo (azure/gpt-4o-paygo).")]
    [InlineData("gpt-4o-mini", "mini-a", 0, "mini-a stands in LiteLLM's configuration file, and only models in its database can be changed while it runs.")]
    [InlineData("small", "small-a", 1, "LiteLLM looks at weights only while the first healthy deployment of a model has one, and small-b has none: who gets what would depend on which are healthy. Give it one first.")]
    [InlineData("chat", "chat-a", 0, "LiteLLM 'practice' routes chat by 'latency-based-routing', and only 'simple-shuffle' looks at weights: the traffic would stay where it is.")]
    [InlineData("spare", "spare-b", 9, "LiteLLM sends spare to the deployments of the lowest order alone (spare-a), and spare-b is not among them: its weight changes nothing.")]
    [InlineData("spare", "spare-a", 0, "spare-a is the only deployment of spare that has its order: its weight changes nothing.")]
    public async Task RouteThatWouldChangeNothing_IsRefused(string model, string deployment, int weight, string why) =>
        (await PrepareAsync(Route, With(model, deployment, weight))).Refusal.ShouldBe(why);

    [Theory]
    [InlineData("404")]
    [InlineData("403")]
    [InlineData("unreachable")]
    public async Task ProxyThatDoesNotSayHowItRoutes_IsChangedAndTheCardSaysSo(string fault)
    {
        await FaultAsync("litellm", fault, on: "/router/settings");

        var preparation = await PrepareAsync(Route, s_away);

        preparation.Refusal.ShouldBeNull();
        preparation.PlannedEffect.ShouldEndWith(" (now ptu 90 %, paygo 10 %). The proxy does not say how it routes; only 'simple-shuffle' looks at weights. Teams and keys with weights of their own for it may go by those instead.");
    }

    /// <summary>LiteLLM writes the default of each switch that a change does not name.</summary>
    [Fact]
    public async Task SwitchOfTheDeployment_IsLeftOn()
    {
        var preparation = await PrepareAsync(Route, s_away);
        await ApplyAsync(Route, s_away, preparation);
        (await IsPassedThroughAsync()).ShouldBeTrue();

        await UndoAsync(Route, preparation);
        (await IsPassedThroughAsync()).ShouldBeTrue();

        await SomebodyElseAsync("ptu", 4);
        (await IsPassedThroughAsync()).ShouldBeFalse("the sandbox does as LiteLLM does");

        async Task<bool> IsPassedThroughAsync() => (await StateAsync()).GetProperty("apis").GetProperty("litellm")[0].GetProperty("litellm_params").GetProperty("use_in_pass_through").GetBoolean();
    }

    [Fact]
    public async Task LastOneThatServes_KeepsItsWeight()
    {
        await SomebodyElseAsync("paygo", 0);

        (await PrepareAsync(Route, s_away)).Refusal.ShouldBe("Nobody would be left to serve gpt-4o: all the others have the weight 0.");
    }

    /// <summary>The router leaves it out before it looks at orders and weights, so it takes over nothing.</summary>
    [Fact]
    public async Task DeploymentThatAnAdminHasPaused_IsNotCountedOn()
    {
        await PauseAsync("paygo");

        var preparation = await PrepareAsync(Route, s_away);
        preparation.PlannedEffect.ShouldContain("(now ptu 9, paygo 1 (paused)).");
        preparation.PlannedEffect.ShouldNotContain("The traffic then goes to");
        preparation.Refusal.ShouldBe("ptu is the only deployment of gpt-4o that has its order and is not paused: its weight changes nothing.");
        (await PrepareAsync(Route, With(deployment: "paygo", weight: 9))).Refusal.ShouldBe("paygo is paused in LiteLLM (blocked), and gets nothing whatever its weight. Unblock it first.");

        await PauseAsync("ptu");
        (await PrepareAsync(Route, s_away)).PlannedEffect.ShouldNotContain("The traffic then goes to");

        // All of the lowest order are paused, so the next order gets the requests.
        await PauseAsync("spare-a");
        (await PrepareAsync(Route, With("spare", "spare-b", 9))).Refusal.ShouldBe("spare-b is the only deployment of spare that has its order and is not paused: its weight changes nothing.");
    }

    [Fact]
    public async Task DeploymentThatIsPausedAfterTheApproval_LeavesTheTrafficWhereItIs()
    {
        var preparation = await PrepareAsync(Route, s_away);
        await PauseAsync("paygo");

        var refused = await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Route, s_away, preparation));

        (refused.Message, refused.NothingDone).ShouldBe(("Nobody would be left to serve gpt-4o: all the others have the weight 0 or are paused by now. Nothing was changed.", true));
    }

    private async Task PauseAsync(string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/litellm/model/{id}/update") { Content = JsonContent.Create(new { blocked = true }) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "practice");
        (await Http.SendAsync(request, Cancel)).EnsureSuccessStatusCode();
    }

    [Theory]
    [InlineData("403", "is not one of a proxy admin", typeof(NoAdminKeyException), true)]
    [InlineData("429", "answered 429 to: change the weight of ptu", typeof(LiteLlmException), true)]
    [InlineData("500", "answered 500 to: change the weight of ptu", typeof(LiteLlmException), false)]
    [InlineData("unreachable", "cannot be reached to change the weight of ptu", typeof(LiteLlmException), false)]
    public async Task Fault_IsSaidInWords(string fault, string words, Type exception, bool nothingDone)
    {
        var preparation = await PrepareAsync(Route, s_away);
        await FaultAsync("litellm", fault, on: "PATCH ");

        var failed = await Should.ThrowAsync(() => ApplyAsync(Route, s_away, preparation), exception);
        failed.Message.ShouldContain(words);
        (failed is StepRefusedException { NothingDone: true } or AttemptFailedException { NothingDone: true }).ShouldBe(nothingDone);
        (await WeightsAsync()).ShouldBe("ptu 9, paygo 1");
    }

    /// <summary>An outage, and so taking back is tried for as long as one may last.</summary>
    [Fact]
    public async Task ProxyThatIsAwayWhenTheLeaseEnds_MayBeBackLater()
    {
        var preparation = await PrepareAsync(Route, s_away);
        await ApplyAsync(Route, s_away, preparation);
        await FaultAsync("litellm", "503");

        (await Should.ThrowAsync<AttemptFailedException>(() => UndoAsync(Route, preparation))).IsBusy.ShouldBeFalse();
        Clock.Advance(TimeSpan.FromMinutes(1));
        await UndoAsync(Route, preparation);
        (await WeightsAsync()).ShouldBe("ptu 9, paygo 1");
    }

    [Fact]
    public async Task KeyThatIsNoAdmins_IsFoundInADryRun()
    {
        (await CheckPermissionsAsync(Route, s_away)).ShouldBeNull();
        await FaultAsync("litellm", "denied", on: "update models");
        (await CheckPermissionsAsync(Route, s_away)).ShouldNotBeNull().ShouldContain("LiteLlm:Proxies:practice:ApiKey");
    }

    [Theory]
    [InlineData("404")]
    [InlineData("500")]
    [InlineData("unreachable")]
    public async Task ProxyThatDoesNotTell_IsNotCalledAMissingRole(string fault)
    {
        await FaultAsync("litellm", fault, on: "/user/list");

        (await CheckPermissionsAsync(Route, s_away)).ShouldBeNull();
        (await StateAsync()).GetProperty("faults").GetArrayLength().ShouldBe(0, "it was asked");
    }

    [Fact]
    public async Task UnknownProxy_IsSaidWithTheSettingThatIsMissing() =>
        (await Should.ThrowAsync<StepRefusedException>(() => PrepareAsync(Route, With(proxy: "elsewhere")))).Message.ShouldBe("No LiteLLM proxy is configured as 'elsewhere'. Add LiteLlm:Proxies:elsewhere.");
}
