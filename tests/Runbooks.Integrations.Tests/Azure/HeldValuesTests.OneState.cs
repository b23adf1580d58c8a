using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Integrations.Tests.Azure;

/// <content>What is either so or not, and what two incidents therefore both find and leave the same.</content>
public sealed partial class HeldValuesTests
{
    private const string Cordon = "kubernetes.cordonNode";
    private const string Node = "aks-gpu-24815391-vmss000002";
    private static readonly object s_node = new { node = Node };

    public static TheoryData<string, object> OfOneState => new()
    {
        { Cordon, s_node },
        { "kubernetes.taintNode", new { node = Node, key = "gpu-fault", value = "xid79" } },
        { "azureAlert.close", new { alert = "/subscriptions/00000000-0000-0000-0000-00000000c0de/providers/Microsoft.AlertsManagement/alerts/7d8f2c11-5a3e-4b6c-b0d9-2e4f6a8c1357", state = "acknowledged" } },
    };

    private async Task<string> StatesAsync()
    {
        var node = (await Http.GetFromJsonAsync<JsonElement>($"/kubernetes/b/api/v1/nodes/{Node}", Cancel)).GetProperty("spec");
        var alert = await ArmAsync("/subscriptions/00000000-0000-0000-0000-00000000c0de/providers/Microsoft.AlertsManagement/alerts/7d8f2c11-5a3e-4b6c-b0d9-2e4f6a8c1357");
        return $"{node.TryGetProperty("unschedulable", out var cordoned) && cordoned.GetBoolean()} {(node.TryGetProperty("taints", out var taints) ? taints.GetRawText() : "")} {alert.GetProperty("properties").GetProperty("essentials").GetProperty("alertState")}";
    }

    /// <summary>Two faults of one node: it takes new pods again when both are over, and not under the second.</summary>
    [Theory, MemberData(nameof(OfOneState))]
    public async Task WhatTwoIncidentsMadeSo_StaysUntilBothHaveEnded(string action, object with)
    {
        var before = await StatesAsync();
        foreach (var (ends, stays) in ((string, string)[])[("inc-a", "inc-b"), ("inc-d", "inc-c")])
        {
            var (one, other) = ends == "inc-a" ? (ends, stays) : (stays, ends);
            var done = new Dictionary<string, Preparation> { [one] = await DoAsync(one, action, with), [other] = await DoAsync(other, action, with) };
            var changed = await StatesAsync();
            changed.ShouldNotBe(before);

            var left = await UndoAsync(ends, action, done[ends]);
            (left.Result.EndsWith($" stays as it is: incident {stays} holds it too. What was there before comes back when the last of them takes it back.", StringComparison.Ordinal), left.HandedOn).ShouldBe((true, true), left.Result);
            (await StatesAsync()).ShouldBe(changed);

            (await UndoAsync(stays, action, done[stays])).ShouldSatisfyAllConditions(back => back.HandedOn.ShouldBeFalse(), back => back.FoundSo.ShouldBeFalse());
            (await StatesAsync()).ShouldBe(before);
        }
    }

    [Fact]
    public async Task NodeThatAPersonCordoned_StaysCordonedAndTheEndSaysSo()
    {
        await PatchAsync($"/kubernetes/b/api/v1/nodes/{Node}", """{"spec":{"unschedulable":true}}""");
        var first = await DoAsync("inc-a", Cordon, s_node);
        first.Undo.ShouldBe("Left as it is: it was so before, unless another incident did that and leaves it to this one.");

        (await UndoAsync("inc-a", Cordon, first)).ShouldSatisfyAllConditions(
            left => left.FoundSo.ShouldBeTrue(), left => left.Result.ShouldBe($"The cordon of node {Node} on cluster b was left as it is: this step had not changed it."));
        (await StatesAsync()).ShouldStartWith("True ");
    }

    /// <summary>A step that is to stay found it so: nobody is told to take off what a person has put there.</summary>
    [Fact]
    public async Task NodeThatAPersonCordoned_IsNobodysToChangeBackThoughTheStepKeepsIt()
    {
        await PatchAsync($"/kubernetes/b/api/v1/nodes/{Node}", """{"spec":{"unschedulable":true}}""");
        object with = new { node = Node, keep = true };
        var kept = await DoAsync("inc-a", Cordon, with);
        kept.Undo.ShouldBe("Left as it is: it was so before, unless another incident did that and leaves it to this one.");

        (await UndoAsync("inc-a", Cordon, kept)).ShouldSatisfyAllConditions(
            left => left.FoundSo.ShouldBeTrue(), left => left.Result.ShouldBe($"The cordon of node {Node} on cluster b was left as it is: this step had not changed it."));
        (await StatesAsync()).ShouldStartWith("True ");
    }

    /// <summary>The one that cordoned it leaves it to the one that keeps it, so a person has to see to it, whichever of them ends first.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NodeThatAnotherIncidentCordoned_IsToldToAPersonByTheStepThatKeepsIt(bool firstHasEnded)
    {
        var first = await DoAsync("inc-a", Cordon, s_node);
        var kept = await DoAsync("inc-b", Cordon, new { node = Node, keep = true });
        if (firstHasEnded)
        {
            await Should.ThrowAsync<ChangedSinceException>(() => TakeBackAsync("inc-a", Cordon, first));
        }

        (await UndoAsync("inc-b", Cordon, kept)).ShouldSatisfyAllConditions(
            left => left.FoundSo.ShouldBeFalse(), left => left.Result.ShouldBe($"Left node {Node} as it is, as the runbook says; change it back by hand."));
    }

    /// <summary>Its cordon is a person's to take off, so it is nobody's to be handed on to.</summary>
    [Fact]
    public async Task CordonThatTheSecondKeeps_IsLeftAloneByTheFirst()
    {
        var first = await DoAsync("inc-a", Cordon, s_node);
        var second = await DoAsync("inc-b", Cordon, new { node = Node, keep = true });

        second.UndoneByHand.ShouldBeTrue();
        (await Should.ThrowAsync<ChangedSinceException>(() => TakeBackAsync("inc-a", Cordon, first))).Message
            .ShouldBe($"The cordon of node {Node} on cluster b was left alone: incident inc-b holds it too and does not take it back.");
        (await StatesAsync()).ShouldStartWith("True ");
    }

    /// <summary>What the former machine had is gone with it: the new one's is its own, and comes back to what it was.</summary>
    [Theory]
    [InlineData(Cordon, null)]
    [InlineData("kubernetes.taintNode", "gpu-fault")]
    public async Task NewMachineOfTheSameName_IsAnotherValue(string action, string? key)
    {
        object with = key is null ? s_node : new { node = Node, key };
        var (before, found) = (await StatesAsync(), await PrepareAsync(action, with));
        var former = found with { UndoState = JsonSerializer.SerializeToElement(found.UndoState!.Value.Deserialize<NodeUndo>()! with { Uid = "the-former-machine" }) };
        await FaultAsync("kubernetes", "503", on: $"/nodes/{Node}");
        await Should.ThrowAsync<ClusterException>(() => DoAsync("inc-a", action, with, prepared: former));

        var second = await DoAsync("inc-b", action, with);
        (await StatesAsync()).ShouldNotBe(before);

        (await TakeBackAsync("inc-b", action, second)).ShouldNotContain("as it is");
        (await StatesAsync()).ShouldBe(before);
        (await TakeBackAsync("inc-a", action, former)).ShouldBe($"Node {Node} is gone or another by now, so there is nothing to change back.");
    }

    /// <summary>Who found it so brings nothing back: it cannot be left to them.</summary>
    [Fact]
    public async Task CordonOfWhichNothingIsNoted_IsToldToAPersonWhileAnotherReliesOnIt()
    {
        var first = await DoAsync("inc-a", Cordon, s_node);
        await Services.GetRequiredService<ISharedState>().RemoveAsync<HeldValues.Holders<bool>>($"held:cordon of node {first.Identity}", _ => true, Cancel);
        var second = await DoAsync("inc-b", Cordon, s_node);

        (await Should.ThrowAsync<ChangedSinceException>(() => TakeBackAsync("inc-a", Cordon, first))).Message
            .ShouldBe($"The cordon of node {Node} on cluster b was left alone: incident inc-b found it so and relies on it.");
        (await UndoAsync("inc-b", Cordon, second)).FoundSo.ShouldBeTrue();
    }

    /// <summary>That another one took it off for good is no reason to page anybody: it is as it was before the first.</summary>
    [Fact]
    public async Task CordonThatTheSecondTookOffForGood_IsAsItWasBefore()
    {
        var first = await DoAsync("inc-a", Cordon, s_node);
        var second = await DoAsync("inc-b", "kubernetes.uncordonNode", s_node);
        second.PlannedEffect.ShouldBe($"Uncordon node {Node} on cluster b: new pods may be scheduled on it again. Incident inc-a has set it otherwise, and has not ended.");
        await ChangeAsync("inc-b", i => i with { State = IncidentState.Resolved, Steps = [Ended(i, StepStatus.Done)] });

        (await TakeBackAsync("inc-a", Cordon, first)).ShouldBe($"Node {Node} had been changed back already.");
    }

    /// <summary>It is tried again, or ends there; until it has done something, it has nothing that others have to mind.</summary>
    [Fact]
    public async Task ChangeThatWasRefusedForTheMoment_IsNotSaidToBeMade()
    {
        await FaultAsync("kubernetes", "409", count: 99, on: "PATCH /kubernetes/b/api/v1/nodes");
        (await Should.ThrowAsync<ClusterException>(() => DoAsync("inc-a", Cordon, s_node))).NothingDone.ShouldBeTrue();

        (await PrepareAsync("kubernetes.uncordonNode", s_node)).PlannedEffect.ShouldNotContain("has set it otherwise");
    }
}
