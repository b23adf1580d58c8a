using Azure.Core;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Kubernetes;

public sealed class AksResourceTests : OnTheSandbox
{
    private static readonly string s_aks = Resource("Microsoft.ContainerService/managedClusters", "aks-b");
    private readonly KnownIdentity _identity = new("practice");

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Kubernetes:Clusters:b:Server"] = null,
        ["Kubernetes:Clusters:b:Token"] = null,
        ["Kubernetes:Clusters:b:ResourceId"] = s_aks,
    };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddSingleton<TokenCredential>(_identity).AddKubernetes();

    private Task<CheckResult> AskAsync() => AskAsync("kubernetes.pod", new { @namespace = "inference", pod = "llm-b-1" });

    private async Task<int> CredentialsReadAsync() => (await RequestsAsync()).Count(request => request.StartsWith($"POST /arm{s_aks}/listClusterUserCredential?api-version=2025-10-01", StringComparison.Ordinal));

    [Fact]
    public async Task ResourceId_IsEnoughToReachTheCluster()
    {
        var result = await AskAsync();

        result.Verdict.ShouldBe(Verdict.Passing, result.Summary);
        result.Link.ShouldBe($"https://portal.azure.com/#@/resource{s_aks}/workloads");
        _identity.Asked.Distinct().ShouldBe([AksTokens.Scope]);
    }

    [Theory]
    [InlineData("b", Verdict.Passing)]
    [InlineData("aks-b", Verdict.Passing)]
    [InlineData("AKS-B", Verdict.Passing)]
    [InlineData("ks-b", Verdict.Unknown)]
    public async Task Cluster_GoesByItsNameInAksToo(string cluster, Verdict verdict) =>
        (await AskAsync("kubernetes.pod", new { cluster, @namespace = "inference", pod = "llm-b-1" })).Verdict.ShouldBe(verdict);

    [Fact]
    public async Task ApiServer_IsLearntOnceAnHour()
    {
        await AskAsync();
        await AskAsync();
        (await CredentialsReadAsync()).ShouldBe(1);

        Clock.Advance(TimeSpan.FromMinutes(61));
        await AskAsync();

        (await CredentialsReadAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task ClusterThatCannotBeReached_IsLearntAnew()
    {
        await AskAsync();
        await FaultAsync("kubernetes", "unreachable");
        (await AskAsync()).Verdict.ShouldBe(Verdict.Unknown);

        (await AskAsync()).Verdict.ShouldBe(Verdict.Passing);

        (await CredentialsReadAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task ResourceManagerThatIsDown_DoesNotHideAClusterThatIsKnown()
    {
        await AskAsync();
        Clock.Advance(TimeSpan.FromMinutes(61));
        await FaultAsync("arm", "503");

        (await AskAsync()).Verdict.ShouldBe(Verdict.Passing);
    }

    [Fact]
    public async Task ManyWhoAskWhileAzureGivesNoAnswer_AskOnceAndLessAndLessOften()
    {
        await FaultAsync("arm", "503", count: 2);

        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AskAsync()));

        results.ShouldAllBe(result => result.Verdict == Verdict.Unknown && result.Summary.Contains("cannot be learnt"));
        (await CredentialsReadAsync()).ShouldBe(1);

        Clock.Advance(TimeSpan.FromSeconds(2));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AskAsync()));
        Clock.Advance(TimeSpan.FromSeconds(3));
        (await AskAsync()).Verdict.ShouldBe(Verdict.Unknown);
        (await CredentialsReadAsync()).ShouldBe(2);

        Clock.Advance(TimeSpan.FromSeconds(1));
        (await AskAsync()).Verdict.ShouldBe(Verdict.Passing);
    }

    [Theory]
    [InlineData("401", "does not know this identity")]
    [InlineData("403", "lacks the role Azure Kubernetes Service Cluster User Role on")]
    [InlineData("500", "Where cluster 'b' is cannot be learnt")]
    [InlineData("unreachable", "cannot be reached to get its credentials")]
    public async Task CredentialsThatCannotBeHad_AreUnknownAndSayWhy(string fault, string words)
    {
        await FaultAsync("arm", fault);

        var result = await AskAsync();

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain(words);
    }

    [Theory]
    [InlineData("/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm")]
    [InlineData("aks-b")]
    public void OtherIds_AreRefusedAtTheStart(string id) =>
        new ClusterOptions { ResourceId = id }.Problems().ShouldHaveSingleItem().ShouldContain("not the id of an AKS cluster");

    [Fact]
    public void ServerAndResourceId_AreOneTooMany() =>
        new ClusterOptions { ResourceId = s_aks, Server = "https://cluster.example" }.Problems().ShouldHaveSingleItem().ShouldContain("exactly one of ResourceId");
}
