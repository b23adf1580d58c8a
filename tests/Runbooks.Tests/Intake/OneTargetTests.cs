using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;

namespace Runbooks.Tests.Intake;

/// <summary>One target has one incident, whoever names it: Azure, another sender, or a person.</summary>
public sealed class OneTargetTests
{
    private static readonly Dictionary<string, string> s_labels = new() { ["cluster"] = "AKS-EU", ["node"] = "gpu-1" };
    private static readonly Runbook s_azure = IntakeWorld.Runbook("node-fault", "{{ labels.cluster }}/{{ labels.node }}", "azure-monitor", "NodeFault");

    private static readonly Runbook s_both = s_azure with { Trigger = [.. s_azure.Trigger, new("alertmanager", "NodeFault", [], new Dictionary<string, string>())] };
    private static readonly Runbook s_any = s_azure with { Trigger = [new(null, "NodeFault", [], new Dictionary<string, string>())] };

    [Theory]
    [InlineData("azure-monitor", "alertmanager")]
    [InlineData("alertmanager", "azure-monitor")]
    public async Task TwoSendersOfARunbook_AskOnce(string first, string second)
    {
        await using var world = new IntakeWorld(s_both);
        await world.TakeAsync(Alert(first));

        (await world.TakeAsync(Alert(second)))[0].Outcome.ShouldBe(IntakeResult.Folded);
    }

    [Theory]
    [InlineData("azure")]
    [InlineData("any")]
    public async Task StartedByHandUnderTheNameThatAzureShows_IsTheOneThatIsOpen(string which)
    {
        await using var world = new IntakeWorld(which == "azure" ? s_azure : s_any);
        await world.TakeAsync(Alert("azure-monitor"));

        (await StartAsync(world)).Outcome.ShouldBe(IntakeResult.Folded);
    }

    [Fact]
    public async Task AzureReportsWhatWasStartedByHand_IsTheOneThatIsOpen()
    {
        await using var world = new IntakeWorld(s_azure);
        await StartAsync(world);

        (await world.TakeAsync(Alert("azure-monitor")))[0].Outcome.ShouldBe(IntakeResult.Folded);
    }

    [Fact]
    public async Task StartedByHandOnAnotherNameOfARunbookForAll_IsAnother()
    {
        await using var world = new IntakeWorld(s_any);
        await world.TakeAsync(Alert("alertmanager") with { Labels = new Dictionary<string, string>(s_labels) { ["cluster"] = "aks-eu" } });

        (await StartAsync(world)).Outcome.ShouldBe(IntakeResult.Opened);
        world.World.Store.All[^1].Target.ShouldBe("AKS-EU/gpu-1");
    }

    private static Alert Alert(string source) => new() { Source = source, Name = "NodeFault", Fingerprint = $"of-{source}", Labels = s_labels };

    private static async Task<IntakeOutcome> StartAsync(IntakeWorld world)
    {
        var result = await world.World.Get<ManualStart>().StartAsync("node-fault", s_labels, "ada", null, TestContext.Current.CancellationToken);
        await world.World.Engine.SettleAsync();
        return result.Outcome!;
    }
}
