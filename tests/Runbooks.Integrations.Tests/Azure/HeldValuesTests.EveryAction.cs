using System.Text.Json;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Azure;

/// <content>Every action that changes a value, and what of it a yes is bound to.</content>
public sealed partial class HeldValuesTests
{
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
        await PutValueAsync("banner", "{\"message\":\"ours\"}");

        (await PrepareAsync(Banner, new { message = "Paused." })).Identity.ShouldNotBe(shown.Identity);
    }
}
