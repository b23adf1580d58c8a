using Azure.Core;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Kubernetes;

public sealed class AzureIdentityTests : OnTheSandbox
{
    private readonly KnownIdentity _identity = new("practice");

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Kubernetes:Clusters:b:Token"] = null,
        ["Kubernetes:Clusters:b:AzureIdentity"] = "true",
    };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddSingleton<TokenCredential>(_identity).AddKubernetes();

    [Fact]
    public async Task Cluster_IsAskedWithTheIdentitysTokenForAks()
    {
        var result = await AskAsync("kubernetes.pod", new { @namespace = "inference", pod = "llm-b-1", cluster = "b" });

        result.Verdict.ShouldBe(Verdict.Passing, result.Summary);
        _identity.Asked.Distinct().ShouldBe(["6dae42f8-4368-4678-94ff-3960e28e3630/.default"]);
    }

    /// <summary>The sign-in, or the machine's own service for it, does not answer when the token has run out.</summary>
    [Fact]
    public async Task TokenThatCannotBeHadForAWhile_IsWaitedForLikeTheCluster()
    {
        var with = new { @namespace = "chat", deployment = "chat-vllm", cluster = "b" };
        var preparation = await PrepareAsync("kubernetes.rolloutRestart", with);
        _identity.Away = (Skip: 2, Count: 3);

        (await ApplyAsync("kubernetes.rolloutRestart", with, preparation)).Result.ShouldStartWith("Restarted deployment chat/chat-vllm; its new pods were ready after");
        _identity.Away.Count.ShouldBe(0);
    }

    [Fact]
    public async Task TokenThatCannotBeHad_IsSaidWithTheCluster()
    {
        _identity.Away = (Skip: 0, Count: 1);

        (await AskAsync("kubernetes.pod", new { @namespace = "inference", pod = "llm-b-1", cluster = "b" })).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldBe("No token to get pod inference/llm-b-1 on cluster 'b': the sign-in does not answer"));
    }

    [Fact]
    public async Task TokenThatCannotBeHadBeforeAReimage_HasSeenNothingDone()
    {
        var with = new { node = "aks-gpu-24815391-vmss000002", cluster = "b" };
        await RunAsync("kubernetes.cordonNode", with);
        var preparation = await PrepareAsync("aks.reimageNode", with);
        _identity.Away = (Skip: 0, Count: 1);

        (await Should.ThrowAsync<ClusterException>(() => ApplyAsync("aks.reimageNode", with, preparation))).NothingDone.ShouldBeTrue();
    }

    [Fact]
    public void TokenAndIdentity_AreOneTooMany() =>
        new ClusterOptions { Server = "https://cluster.example", Token = "x", AzureIdentity = true }.Problems().ShouldHaveSingleItem().ShouldContain("Choose one");

    [Fact]
    public void IdentityOverPlainHttp_IsRefused() =>
        new ClusterOptions { Server = "http://cluster.example", AzureIdentity = true }.Problems().ShouldHaveSingleItem().ShouldContain("plain http");
}
