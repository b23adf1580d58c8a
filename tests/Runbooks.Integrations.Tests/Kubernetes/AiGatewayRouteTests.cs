using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Kubernetes;

public sealed class AiGatewayRouteTests : OnTheSandbox
{
    private const string Route = "envoyAiGateway.route";
    private const string Path = "/kubernetes/b/apis/aigateway.envoyproxy.io/v1beta1/namespaces/chat/aigatewayroutes/assist";
    private static readonly object s_spill = With(priority: 0, weight: 3);

    protected override IServiceCollection Add(IServiceCollection services) => services.AddKubernetes();

    private static object With(string route = "assist", string backend = "openai-paygo", string? rule = null, int? weight = null, int? priority = null) =>
        new { @namespace = "chat", route, backend, rule, weight, priority };

    private async Task<string> SharesAsync() => string.Join("; ", (await ReadAsync()).GetProperty("spec").GetProperty("rules").EnumerateArray()
        .SelectMany(rule => rule.GetProperty("backendRefs").EnumerateArray()).Select(one => $"{one.GetProperty("name")} {one.GetProperty("weight")} {one.GetProperty("priority")}"));

    private async Task<JsonElement> ReadAsync() => JsonSerializer.Deserialize<JsonElement>(await Http.GetStringAsync(Path, Cancel));

    private async Task SomebodyElseAsync(string from, string to)
    {
        Clock.Advance(TimeSpan.FromSeconds(5));
        var rules = (await ReadAsync()).GetProperty("spec").GetProperty("rules").GetRawText().Replace(from, to, StringComparison.Ordinal);
        await PatchAsync(Path, $$$"""{"spec":{"rules":{{{rules}}}}}""");
    }

    [Fact]
    public async Task Backend_TakesAShareAndGoesBackToTheExactNumbers()
    {
        var before = (await ReadAsync()).GetProperty("spec").GetRawText();
        var preparation = await PrepareAsync(Route, s_spill);
        preparation.PlannedEffect.ShouldBe("Give openai-paygo weight 3 and priority 0 in the AI gateway route chat/assist (now weight 1 and priority 1). The traffic of the rule gpt-4o then goes to: openai-ptu 25 %, openai-paygo 75 % (now openai-ptu 100 %).");
        preparation.Undo.ShouldBe("Give it weight 1 and priority 1 again.");

        (await ApplyAsync(Route, s_spill, preparation)).Result.ShouldBe("openai-paygo has weight 3 and priority 0 in the AI gateway route chat/assist.");
        (await SharesAsync()).ShouldBe("openai-ptu 1 0; openai-paygo 3 0; chat-vllm 1 0");
        JsonSerializer.SerializeToElement(new { spec = (await SentAsync())[^1].Body.GetProperty("spec") }).ShouldBeGolden("ai-gateway-route");
        (await SentAsync())[^1].Body.GetProperty("metadata").GetProperty("resourceVersion").GetString().ShouldNotBeNullOrEmpty();
        (await ApplyAsync(Route, s_spill, preparation, interrupted: preparation)).Result.ShouldBe("openai-paygo had weight 3 and priority 0 when this attempt came to it, by an earlier attempt or by somebody else.");

        (await UndoAsync(Route, preparation)).Result.ShouldBe("openai-paygo has weight 1 and priority 1 again in the AI gateway route chat/assist, as before.");
        (await ReadAsync()).GetProperty("spec").GetRawText().ShouldBe(before, "nothing else of the route has changed");
        (await UndoAsync(Route, preparation)).Result.ShouldBe("openai-paygo has weight 1 and priority 1, as it was before.");
    }

    [Fact]
    public async Task RouteThatSomebodyElseChanged_IsLeft()
    {
        var preparation = await PrepareAsync(Route, s_spill);
        await SomebodyElseAsync("\"priority\":1", "\"priority\":2");

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Route, s_spill, preparation))).Message
            .ShouldBe("The AI gateway route chat/assist was changed by somebody else in the meantime: openai-paygo has weight 1 and priority 2. Nothing was overwritten.");
    }

    [Fact]
    public async Task WhatElseSomebodyChanged_StaysAsItIs()
    {
        var preparation = await PrepareAsync(Route, s_spill);
        await SomebodyElseAsync("gpt-4o-ptu", "gpt-4o-ptu-2");

        await ApplyAsync(Route, s_spill, preparation);

        (await ReadAsync()).GetRawText().ShouldContain("gpt-4o-ptu-2");
    }

    [Fact]
    public async Task RouteThatTheGatewayDoesNotAccept_IsNoSuccess()
    {
        await SomebodyElseAsync("chat-vllm", "nobody");
        var preparation = await PrepareAsync(Route, s_spill);

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Route, s_spill, preparation))).Message
            .ShouldBe("The AI gateway does not accept the route chat/assist as it is now: failed to sync HTTPRoute: AIServiceBackend chat.nobody not found");
    }

    [Theory]
    [InlineData("assist", "nobody", null, 1, "No rule of it names the backend nobody. There are: openai-ptu, openai-paygo, chat-vllm.")]
    [InlineData("assist", "openai-ptu", "gpt-5", 1, "No rule gpt-5 of it names the backend openai-ptu. There are: openai-ptu, openai-paygo, chat-vllm.")]
    [InlineData("assist", "chat-vllm", null, 0, "chat-vllm is the only backend of rule 2: its share changes nothing.")]
    [InlineData("assist", "openai-paygo", "gpt-4o", 2, "openai-paygo is the only backend of the rule gpt-4o with the priority 1: its share changes nothing.")]
    [InlineData("other", "openai-ptu", null, 0, "There is no AI gateway route chat/other on cluster b.")]
    public async Task ShareThatCannotBeChanged_IsRefused(string route, string backend, string? rule, int weight, string why) =>
        (await PrepareAsync(Route, With(route, backend, rule, weight))).Refusal.ShouldBe(why);

    [Fact]
    public async Task LastBackendOfARule_KeepsItsWeight()
    {
        var with = With(rule: "gpt-4o", weight: 0);
        await RunAsync(Route, with);

        (await PrepareAsync(Route, With(backend: "openai-ptu", weight: 0))).Refusal.ShouldBe("Nobody would be left in the rule gpt-4o: all the others have the weight 0.");
    }

    [Theory]
    [InlineData("403", "aigatewayroutes.aigateway.envoyproxy.io", typeof(StepRefusedException))]
    [InlineData("409", "is being changed by somebody else at this moment", typeof(ClusterException))]
    [InlineData("500", "answered 500", typeof(ClusterException))]
    public async Task Fault_IsSaidInWords(string fault, string words, Type exception)
    {
        var preparation = await PrepareAsync(Route, s_spill);
        await FaultAsync("kubernetes", fault, on: "PATCH ");

        (await Should.ThrowAsync(() => ApplyAsync(Route, s_spill, preparation), exception)).Message.ShouldContain(words);
        (await SharesAsync()).ShouldBe("openai-ptu 1 0; openai-paygo 1 1; chat-vllm 1 0");
    }

    [Fact]
    public async Task LooksThatAreRefusedAfterTheChange_AreNoRefusalOfIt()
    {
        var preparation = await PrepareAsync(Route, s_spill);
        await FaultAsync("kubernetes", "401", count: 2, on: "GET ", skip: 1);

        (await ApplyAsync(Route, s_spill, preparation)).Result.ShouldStartWith("openai-paygo has weight 3 and priority 0");

        await UndoAsync(Route, preparation);
        await FaultAsync("kubernetes", "401", count: 100, on: "GET ", skip: 1);
        (await Should.ThrowAsync<ClusterException>(() => ApplyAsync(Route, s_spill, preparation))).NothingDone.ShouldBeFalse();
    }

    [Fact]
    public async Task MissingRole_IsFoundInADryRun()
    {
        (await CheckPermissionsAsync(Route, s_spill)).ShouldBeNull();
        await FaultAsync("kubernetes", "denied", on: "patch aigatewayroutes");
        (await CheckPermissionsAsync(Route, s_spill)).ShouldNotBeNull().ShouldContain("aigatewayroutes.aigateway.envoyproxy.io");
    }
}
