using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <summary>Whoever approves a change has to know who sets it back.</summary>
public sealed class KeptObjectTests : OnTheSandbox
{
    private readonly WebApplication _cluster = Cluster();

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Kubernetes:Clusters:kept:Server"] = _cluster.Urls.First(),
    };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddKubernetes().AddSingleton(_ => new Ending(_cluster));

    /// <summary>The cluster ends with the test's other services.</summary>
    private Task<Preparation> PlanAsync(string action, object with)
    {
        Services.GetRequiredService<Ending>().ShouldNotBeNull();
        return PrepareAsync(action, with);
    }

    [Fact]
    public async Task DeploymentThatFluxKeeps_IsToldSoOnTheCard() =>
        (await PlanAsync("kubernetes.scaleDeployment", new { cluster = "kept", @namespace = "chat", deployment = "vllm", add = 2, max = 6 })).PlannedEffect
            .ShouldBe("Scale deployment chat/vllm on cluster kept from 2 to 4 pods (at most 6), and wait until they are ready. Flux (kustomization apps) may set this back soon, unless that is paused there.");

    [Fact]
    public async Task RouteThatFluxKeeps_IsToldSoOnTheCard() =>
        (await PlanAsync("envoyAiGateway.route", new { cluster = "kept", @namespace = "chat", route = "assist", backend = "paygo", weight = 3 })).PlannedEffect
            .ShouldEndWith(" Flux (kustomization apps) may set this back soon, unless that is paused there.");

    private static WebApplication Cluster()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var metadata = new { name = "x", @namespace = "chat", uid = "1", labels = new Dictionary<string, string> { ["kustomize.toolkit.fluxcd.io/name"] = "apps" } };
        object[] backends = [new { name = "ptu", weight = 1 }, new { name = "paygo", weight = 1 }];
        app.MapGet("/apis/apps/v1/namespaces/chat/deployments/vllm", () => Results.Json(new { kind = "Deployment", apiVersion = "apps/v1", metadata, spec = new { replicas = 2 } }));
        app.MapGet("/apis/autoscaling/v1/namespaces/chat/horizontalpodautoscalers", () => Results.Json(new { kind = "HorizontalPodAutoscalerList", apiVersion = "autoscaling/v1", metadata = new { }, items = Array.Empty<object>() }));
        app.MapGet("/apis/aigateway.envoyproxy.io/v1beta1/namespaces/chat/aigatewayroutes/assist", () => Results.Json(new { kind = "AIGatewayRoute", apiVersion = "aigateway.envoyproxy.io/v1beta1", metadata, spec = new { rules = new[] { new { backendRefs = backends } } } }));
        app.Start();
        return app;
    }

    private sealed class Ending(WebApplication app) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
