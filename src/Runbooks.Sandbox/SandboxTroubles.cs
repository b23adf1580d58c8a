using Runbooks.Sandbox.Apis;
using Runbooks.Sandbox.Apis.Arm;
using Runbooks.Sandbox.Apis.Exporters;
using Runbooks.Sandbox.Apis.Logs;
using Runbooks.Sandbox.Apis.Provider;
using Runbooks.Sandbox.Apis.Tls;

namespace Runbooks.Sandbox;

/// <summary>Something that is wrong with the sandbox's world, and that a person can break and heal by hand.</summary>
/// <param name="What">In words, for a page.</param>
/// <param name="IsOn">Whether it is broken now, or will be once somebody looks.</param>
internal sealed record Trouble(string Name, string What, Func<bool> IsOn, Action Break, Action Heal);

/// <summary>What the shipped runbooks are about, each as it is at the start.</summary>
internal sealed class SandboxTroubles(IServiceProvider services, SandboxClusters clusters, SandboxOptions options)
{
    private const string Hung = "llm-b-0";

    public IReadOnlyList<Trouble> All { get; } = Make(services, clusters.Find("b")!, options);

    private static IReadOnlyList<Trouble> Make(IServiceProvider services, SandboxCluster cluster, SandboxOptions options)
    {
        var provider = services.GetServices<SandboxApi>().OfType<ProviderApi>().Single();
        var certificate = services.GetRequiredService<TlsApi>();
        var disks = services.GetServices<ArmKind>().OfType<VirtualMachineKind>().Single();
        return
        [
            new("hung-pod", $"The pod {SandboxCluster.Namespace}/{Hung} takes requests and answers none",
                () => cluster.Find(SandboxCluster.Namespace, Hung)?.Last.HungAt is not null, () => cluster.Hang(Hung), () => cluster.Revive(Hung)),
            new("gpu-node", "A GPU of a node has fallen off the bus (XID 79)", () => cluster.Nodes().Any(node => node.Fault is not null), cluster.LoseGpu, cluster.GiveGpuBack),
            new("provider", "The LLM provider answers 503", () => provider.IsDown(ask: false), () => provider.Say(down: true), () => provider.Say(down: false)),
            Timed("throughput", "The deployment ptu has used up its provisioned throughput, and answers 429", ProvisionedThroughput.Began, options.ProviderRecoversAfter),
            Timed("region-b", "Region b answers slowly", SimulatedTraffic.Began, options.RegionRecoversAfter),
            Timed("abuse", "Somebody sends a prompt that lifts safeguards again and again", Abuse.Began, options.AbuserTiresAfter),
            Timed("rush", "The chat servers have more to do than they can", EngineTraffic.Began, options.LoadLastsFor),
            new("disk", "Old files fill the disks of virtual machines", () => disks.AreFull, disks.Fill, disks.CleanUp),
            new("certificate", "The certificate that the sandbox shows expires soon", () => certificate.ExpiresSoon, certificate.Reset, () => certificate.Renew()),
        ];

        Trouble Timed(string name, string what, string key, TimeSpan lasts)
        {
            var began = services.GetRequiredKeyedService<FirstAsked>(key);
            return new(name, what, () => began.Known is not { } at || options.Time.GetUtcNow() < at + lasts, began.Reset, began.End);
        }
    }
}
