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

    [Fact]
    public void TokenAndIdentity_AreOneTooMany() =>
        new ClusterOptions { Server = "https://cluster.example", Token = "x", AzureIdentity = true }.Problems().ShouldHaveSingleItem().ShouldContain("Choose one");

    [Fact]
    public void IdentityOverPlainHttp_IsRefused() =>
        new ClusterOptions { Server = "http://cluster.example", AzureIdentity = true }.Problems().ShouldHaveSingleItem().ShouldContain("plain http");
}
