namespace Runbooks.Integrations.Tests.Kubernetes;

/// <content>Pods that have to leave their node: what is told of them before and after.</content>
public sealed partial class NodeTests
{
    private const string Embedder = "search/embedder-6f7c9b4d88-k9q7d";

    /// <summary>No disruption budget holds them then, so people are told who goes.</summary>
    [Fact]
    public async Task TaintThatStopsPods_SaysWhichOnesAndThatRoomIsNotLookedAt()
    {
        (await PrepareAsync(Taint, WithTaint("noExecute"))).PlannedEffect.ShouldBe(
            $"Taint node {Broken} on cluster b with gpu-fault=xid79:NoExecute: pods that do not tolerate it are stopped at once, whatever disruption budgets say. Now that is 1 pod with 1 GPU, for which other nodes need room; whether there is room is not looked at.");
        (await PrepareAsync(Taint, WithTaint())).PlannedEffect.ShouldEndWith(": new pods that do not tolerate it go elsewhere; whether there is room is not looked at.");
    }

    /// <summary>The first attempt evicted it, and the host went down before that was on record.</summary>
    [Fact]
    public async Task SecondAttempt_NamesWhatTheFirstOneEvicted()
    {
        await DoAsync(Cordon, With());
        var preparation = await PrepareAsync(Drain, With());
        await ApplyAsync(Drain, With(), preparation);

        var result = await ApplyAsync(Drain, With(), preparation, interrupted: preparation);

        result.Result.ShouldBe($"Evicted 1 pod from node {Broken}: {Embedder}.");
        result.Outputs["evicted"].ShouldBe("1");
        Evidence.TextOf(result.Evidence.ShouldHaveSingleItem()).ShouldNotBeNull().ShouldStartWith($"{Embedder} ");
    }
}
