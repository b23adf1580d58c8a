using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Kubernetes;

/// <summary>A node that nobody has heard from is not ready because it last said so.</summary>
public sealed class NodeHeartbeatTests : OnTheSandbox
{
    private const string Sound = "aks-gpu-24815391-vmss000000";
    private const string Broken = "aks-gpu-24815391-vmss000002";
    private readonly LateClock _late;

    public NodeHeartbeatTests() => _late = new(Clock);

    protected override TimeProvider CheckTime => _late;

    protected override IServiceCollection Add(IServiceCollection services) => services.AddKubernetes();

    [Theory]
    [InlineData(119, Verdict.Passing)]
    [InlineData(121, Verdict.Unknown)]
    public async Task LeaseThatWasNotRenewed_IsUnknown(int seconds, Verdict verdict)
    {
        _late.By = TimeSpan.FromSeconds(seconds);

        var found = await AskAsync("kubernetes.node", new { node = Sound });

        found.Verdict.ShouldBe(verdict, found.Summary);
        if (verdict == Verdict.Unknown)
        {
            found.Summary.ShouldBe($"{Sound}: ready, takes new pods, 8 GPUs, but its kubelet was heard from last 2 min ago, so how it is now is not known.");
        }
    }

    [Theory]
    [InlineData(9, Verdict.Passing)]
    [InlineData(11, Verdict.Unknown)]
    public async Task LeaseThatMayNotBeRead_TheConditionsHeartbeatCounts(int minutes, Verdict verdict)
    {
        await FaultAsync("kubernetes", "403", on: "leases");
        _late.By = TimeSpan.FromMinutes(minutes);

        (await AskAsync("kubernetes.node", new { node = Sound })).Verdict.ShouldBe(verdict);
    }

    [Fact]
    public async Task TroubleThatWasReportedLongAgo_StaysTrouble()
    {
        _late.By = TimeSpan.FromHours(1);

        (await AskAsync("kubernetes.node", new { node = Broken })).Verdict.ShouldBe(Verdict.Failing);
    }
}
