using System.Text.Json;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Kubernetes;

public sealed class DeploymentTests : OnTheSandbox
{
    private const string Restart = "kubernetes.rolloutRestart";
    private const string Scale = "kubernetes.scaleDeployment";

    protected override IServiceCollection Add(IServiceCollection services) => services.AddKubernetes();

    private static object With(string deployment = "chat-vllm") => new { @namespace = "chat", deployment };

    private static object ToScale(int? replicas = null, int? add = 2, int max = 6) => new { @namespace = "chat", deployment = "chat-vllm", replicas, add, max };

    private async Task<int> ReplicasAsync() => JsonSerializer.Deserialize<JsonElement>(await Http.GetStringAsync("/kubernetes/b/apis/apps/v1/namespaces/chat/deployments/chat-vllm", Cancel))
        .GetProperty("spec").GetProperty("replicas").GetInt32();

    private async Task ShouldHaveSentAsync(string golden, string path)
    {
        var (request, body) = (await SentAsync())[^1];
        request.ShouldBe($"PATCH /kubernetes/b/apis/apps/v1/namespaces/chat/deployments/{path}");
        JsonSerializer.Deserialize<JsonElement>(body.GetRawText().Replace(body.GetProperty("metadata").GetProperty("uid").GetString()!, "the-deployments-uid")).ShouldBeGolden(golden);
    }

    [Fact]
    public async Task WholeDeployment_IsPassing() => (await AskAsync("kubernetes.deployment", With())).ShouldSatisfyAllConditions(
        result => result.Verdict.ShouldBe(Verdict.Passing),
        result => result.Summary.ShouldBe("chat-vllm: 2 of 2 pods ready."));

    [Fact]
    public async Task DeploymentWithTooFewPods_IsFailing()
    {
        var preparation = await PrepareAsync(Scale, ToScale());
        await Http.DeleteAsync($"/kubernetes/b/api/v1/namespaces/chat/pods/chat-vllm-5c47b8d6f9-x2x4v", Cancel);
        Clock.Advance(TimeSpan.FromSeconds(1));

        (await AskAsync("kubernetes.deployment", With())).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Failing),
            result => result.Summary.ShouldBe("chat-vllm: 1 of 2 pods ready."));
        preparation.Refusal.ShouldBeNull();
    }

    /// <summary>Pods of every version count as ready, and those of the present one in any state.</summary>
    [Theory]
    [InlineData(3, 4, 1, 3, 3, "3 of 3 pods ready, 1 of 3 made of its present version, 3 of an earlier version still there")]
    [InlineData(3, 6, 3, 3, 3, "3 of 3 pods ready, 3 of an earlier version still there")]
    [InlineData(3, 3, 3, 1, 3, "3 of 3 pods ready, 1 of them for long enough")]
    [InlineData(3, 3, 3, 3, 2, "3 of 3 pods ready, its newest change not taken up yet")]
    [InlineData(1, 3, 3, 1, 3, "1 of 3 pods ready")]
    public void RolloutThatIsNotOver_SaysWhatItLacks(int ready, int all, int updated, int available, int observed, string words)
    {
        var signs = new DeploymentSigns(new V1Deployment
        {
            Metadata = new V1ObjectMeta { Generation = 3 },
            Spec = new V1DeploymentSpec { Replicas = 3 },
            Status = new V1DeploymentStatus { ReadyReplicas = ready, Replicas = all, UpdatedReplicas = updated, AvailableReplicas = available, ObservedGeneration = observed },
        });

        (signs.IsRolledOut, signs.Text).ShouldBe((false, words));
    }

    [Theory]
    [InlineData("403", true)]
    [InlineData("404", false)]
    public async Task AutoscalersThatMayNotBeRead_AreNotTakenForNone(string answer, bool told)
    {
        await FaultAsync("kubernetes", answer, on: "/horizontalpodautoscalers");

        var preparation = await PrepareAsync(Scale, ToScale());

        preparation.Refusal.ShouldBeNull();
        preparation.PlannedEffect.Contains("Whether an autoscaler decides how many pods it has may not be read", StringComparison.Ordinal).ShouldBe(told, preparation.PlannedEffect);
    }

    [Theory]
    [InlineData("unknown", Verdict.Unknown)]
    [InlineData("passing", Verdict.Passing)]
    [InlineData("failing", Verdict.Failing)]
    public async Task DeploymentThatIsScaledToNothing_IsWhatTheRunbookSays(string whenEmpty, Verdict verdict)
    {
        await PatchAsync("/kubernetes/b/apis/apps/v1/namespaces/chat/deployments/chat-vllm", """{"spec":{"replicas":0}}""");

        var result = await AskAsync("kubernetes.deployment", new { @namespace = "chat", deployment = "chat-vllm", whenEmpty });

        result.Verdict.ShouldBe(verdict);
        result.Summary.ShouldContain("scaled to 0 pods");
    }

    [Fact]
    public async Task MissingDeployment_IsFailingAndRefused()
    {
        (await AskAsync("kubernetes.deployment", With("nobody"))).Summary.ShouldBe("There is no deployment chat/nobody on cluster b.");
        (await PrepareAsync(Restart, With("nobody"))).Refusal.ShouldNotBeNull().ShouldContain("There is no deployment");
    }

    /// <summary>The sandbox pauses none. The step would wait for its whole time, and fail.</summary>
    [Fact]
    public void PausedRollout_IsRefused() => RolloutRestart
        .Refusal(new() { Spec = new() { Paused = true } })
        .ShouldBe("Its rollout is paused, so a restart would wait. Resume it first.");

    [Theory]
    [InlineData(1, 0, 1, true)]
    [InlineData(2, "25%", "100%", true)]
    [InlineData(1, null, null, false)]
    [InlineData(1, 0, "25%", true)]
    [InlineData(2, 0, 1, false)]
    [InlineData(3, 0, "70%", false)]
    [InlineData(3, 1, 5, true)]
    public void StrategyThatTakesAllPodsAwayAtOnce_IsNotCalledAFewAtATime(int replicas, object? surge, object? unavailable, bool allAtOnce) => RolloutRestart
        .Way(new() { Spec = new() { Replicas = replicas, Strategy = new() { Type = "RollingUpdate", RollingUpdate = new() { MaxSurge = surge?.ToString(), MaxUnavailable = unavailable?.ToString() } } } })
        .ShouldBe(allAtOnce ? "all at once (its strategy lets all of them be away at a time, so none may serve until the new ones are ready)" : "a few at a time");

    [Fact]
    public async Task DeploymentWithoutPods_HasNoneToRestart()
    {
        await PatchAsync("/kubernetes/b/apis/apps/v1/namespaces/chat/deployments/chat-vllm", """{"spec":{"replicas":0}}""");

        (await PrepareAsync(Restart, With())).Refusal.ShouldBe("It is scaled to 0 pods, so there is none to restart.");
    }

    [Fact]
    public async Task WayOfTheStrategy_BelongsToWhatIsApproved() =>
        (await PrepareAsync(Restart, With())).Identity.ShouldNotBeNull().ShouldEndWith("; a few at a time");

    [Fact]
    public async Task Restart_WaitsForNewPods()
    {
        var preparation = await PrepareAsync(Restart, With());

        var result = await ApplyAsync(Restart, With(), preparation);

        result.Result.ShouldStartWith("Restarted deployment chat/chat-vllm; its new pods were ready after");
        await ShouldHaveSentAsync("restart", "chat-vllm");
        (await ApplyAsync(Restart, With(), preparation, interrupted: preparation)).Result.ShouldStartWith("Restarted when this attempt came to it, by an earlier attempt or by somebody else: deployment chat/chat-vllm; its new pods were ready after");
        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Restart, With(), preparation))).Message.ShouldContain("was restarted or replaced since this was approved");
    }

    /// <summary>No attempt of ours makes a deployment anew.</summary>
    [Fact]
    public async Task RestartOfOneThatWasMadeAnew_IsRefusedAlsoAfterAnInterruption()
    {
        var preparation = await PrepareAsync(Restart, With()) with { Identity = "another-uid" };

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Restart, With(), preparation, interrupted: preparation))).Message
            .ShouldBe("Deployment chat/chat-vllm is gone, or another one has its name since this was approved.");
    }

    [Fact]
    public async Task ClusterThatDoesNotAnswerWhileItIsAwaited_IsAskedAgain()
    {
        var preparation = await PrepareAsync(Restart, With());
        await FaultAsync("kubernetes", "503", count: 12, on: "GET /kubernetes/b/apis/apps/v1/namespaces/chat/deployments", skip: 1);

        (await ApplyAsync(Restart, With(), preparation)).Result.ShouldStartWith("Restarted deployment chat/chat-vllm; its new pods were ready after");
    }

    /// <summary>Whose status changes all the time, as in a crash loop: the API server gives up after five tries of its own.</summary>
    [Theory]
    [InlineData(Restart)]
    [InlineData(Scale)]
    public async Task DeploymentThatIsChangedAtTheSameMoment_IsTriedAgain(string action)
    {
        var with = action == Scale ? ToScale() : With();
        var preparation = await PrepareAsync(action, with);
        await FaultAsync("kubernetes", "409", on: "PATCH ");

        (await Should.ThrowAsync<ClusterException>(() => ApplyAsync(action, with, preparation))).Message.ShouldContain("the object has been modified");
        (await ApplyAsync(action, with, preparation, interrupted: preparation)).Result.ShouldContain("ready");
    }

    [Fact]
    public async Task ChangeThatIsNotValid_IsRefusedInTheClustersWords()
    {
        var preparation = await PrepareAsync(Scale, ToScale());
        await FaultAsync("kubernetes", "422", on: "PATCH ");

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Scale, ToScale(), preparation))).Message.ShouldStartWith("Cluster 'b' answered 422 to: scale deployment chat/chat-vllm.");
    }

    [Fact]
    public async Task DeploymentThatWasMadeAnew_IsNotTheOneThatWasApproved()
    {
        var deployments = Services.GetRequiredService<Clusters>().Deployments("b");
        const string words = "Deployment chat/chat-vllm is no longer the one that was approved. Nothing was changed.";

        (await Should.ThrowAsync<StepRefusedException>(() => deployments.ScaleAsync("chat", "chat-vllm", "another-uid", 3, Cancel))).Message.ShouldBe(words);
        (await Should.ThrowAsync<StepRefusedException>(() => deployments.RestartAsync("chat", "chat-vllm", "another-uid", "now", Cancel))).Message.ShouldBe(words);
    }

    /// <summary>New pods of that one say nothing of the one that was restarted.</summary>
    [Fact]
    public async Task DeploymentThatIsMadeAnewWhileItIsAwaited_IsNotCalledReady() =>
        (await Should.ThrowAsync<StepRefusedException>(() => Services.GetRequiredService<Clusters>().Deployments("b").WaitUntilReadyAsync("chat", "chat-vllm", "another-uid", "restarted", wanted: null, Context(Clock), Cancel))).Message
            .ShouldBe("Deployment chat/chat-vllm was restarted, and then it was deleted, or another one took its name.");

    [Fact]
    public async Task Scale_AddsWithinTheMaximumAndGoesBackToTheExactNumber()
    {
        var preparation = await PrepareAsync(Scale, ToScale());
        preparation.PlannedEffect.ShouldBe("Scale deployment chat/chat-vllm on cluster b from 2 to 4 pods (at most 6), and wait until they are ready.");

        (await ApplyAsync(Scale, ToScale(), preparation)).Result.ShouldBe("Scaled deployment chat/chat-vllm from 2 to 4 pods, all ready.");
        await ShouldHaveSentAsync("scale", "chat-vllm/scale");
        (await PrepareAsync(Scale, ToScale(), interrupted: preparation)).ShouldBe(preparation, "an interrupted attempt does not add once more");
        var second = await ApplyAsync(Scale, ToScale(), preparation, interrupted: preparation);
        (second.Result, second.FoundSo).ShouldBe(("Deployment chat/chat-vllm had 4 pods when this attempt came to it, by an earlier attempt or by somebody else. All are ready.", false));
        (second.Outputs["before"], second.Outputs["after"]).ShouldBe(("2", "4"));

        (await UndoAsync(Scale, preparation)).Result.ShouldBe("Scaled deployment chat/chat-vllm back from 4 to 2 pods.");
        (await ReplicasAsync()).ShouldBe(2);
        (await UndoAsync(Scale, preparation)).Result.ShouldBe("deployment chat/chat-vllm has 2 pods already.");
    }

    [Fact]
    public async Task SomebodyElseScaledItAsMuchMeanwhile_IsNotSaidToBeOurs()
    {
        var preparation = await PrepareAsync(Scale, ToScale());
        await RunAsync(Scale, ToScale(replicas: 4, add: null));

        var found = await ApplyAsync(Scale, ToScale(), preparation);
        (found.Result, found.FoundSo).ShouldBe(("Deployment chat/chat-vllm had 4 pods already. All are ready.", true));
    }

    [Fact]
    public async Task SomebodyElseScaledItSince_ItIsLeft()
    {
        var preparation = await PrepareAsync(Scale, ToScale());
        await ApplyAsync(Scale, ToScale(), preparation);
        var theirs = await PrepareAsync(Scale, ToScale(replicas: 5, add: null));
        await ApplyAsync(Scale, ToScale(replicas: 5, add: null), theirs);

        (await Should.ThrowAsync<ChangedSinceException>(() => UndoAsync(Scale, preparation))).Message
            .ShouldBe("Left deployment chat/chat-vllm at 5 pods: somebody else has scaled it since. Before this incident it had 2.");
    }

    [Fact]
    public async Task PlanOfOtherNumbers_IsAnotherPlan()
    {
        var approved = await PrepareAsync(Scale, ToScale());
        await RunAsync(Scale, ToScale(replicas: 3, add: null));

        (await PrepareAsync(Scale, ToScale())).Identity.ShouldNotBe(approved.Identity, "2->4 was approved, not 3->5");
        approved.Identity.ShouldNotBeNull().ShouldEndWith(" 2->4");
    }

    [Fact]
    public async Task SomebodyElseScalesItWhileItIsAwaited_IsSaidAndNotCalledDone()
    {
        foreach (var node in new[] { 0, 1, 2 })
        {
            await PatchAsync($"/kubernetes/b/api/v1/nodes/aks-gpu-24815391-vmss00000{node}", """{"spec":{"unschedulable":true}}""");
        }

        var preparation = await PrepareAsync(Scale, ToScale());
        var applying = ApplyAsync(Scale, ToScale(), preparation);
        while (await ReplicasAsync() != 4)
        {
            // It is on its way.
        }

        await PatchAsync("/kubernetes/b/apis/apps/v1/namespaces/chat/deployments/chat-vllm/scale", """{"spec":{"replicas":2}}""");

        (await Should.ThrowAsync<StepRefusedException>(() => applying)).Message
            .ShouldBe("Deployment chat/chat-vllm was scaled to 4 pods, and then to 2 by somebody else. It is left as it is.");
    }

    [Theory]
    [InlineData("chat", "chat-vllm", "a few at a time, and")]
    [InlineData("search", "embedder", "all at once (its strategy is Recreate, so none serves until the new ones are ready), and")]
    public async Task Restart_SaysHowTheStrategyDoesIt(string ns, string deployment, string words)
    {
        var with = new { @namespace = ns, deployment };
        var preparation = await PrepareAsync(Restart, with);

        preparation.PlannedEffect.ShouldContain(words);
        (await ApplyAsync(Restart, with, preparation)).Result.ShouldStartWith($"Restarted deployment {ns}/{deployment};");
    }

    [Theory]
    [InlineData(null, 5, "That would be 7 pods, and at most 6 are allowed here.")]
    [InlineData(null, -2, "That would leave no pod at all.")]
    public async Task WhatWouldBeTooMuch_IsRefused(int? replicas, int? add, string words) =>
        (await PrepareAsync(Scale, ToScale(replicas, add))).Refusal.ShouldBe(words);

    [Theory]
    [InlineData(7, null, "replicas: 7 pods are more than 'max', 6.")]
    [InlineData(3, 1, "replicas: Say either 'replicas' or 'add'.")]
    [InlineData(null, null, "replicas: Say either 'replicas' or 'add'.")]
    public void ContradictoryNumbers_AreFoundInTheFile(int? replicas, int? add, string words) => ParameterBinder
        .Bind(JsonSerializer.SerializeToNode(ToScale(replicas, add))!.AsObject(), Action(Scale).ParametersType).Errors.ShouldHaveSingleItem().ToString().ShouldBe(words);
}
