using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Notifications;

/// <summary>An Azure resource is called by its name wherever people read; its id stays where exactness counts.</summary>
public sealed class TargetTextTests
{
    private const string Machine = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-batch/providers/Microsoft.Compute/virtualMachines/vm-batch-1";

    [Theory]
    [InlineData(Machine, "vm-batch-1")]
    [InlineData("/SUBSCRIPTIONS/x/PROVIDERS/y/vm", "vm")]
    [InlineData("/subscriptions/x/resourcegroups/rg/providers/microsoft.sql/servers/s-1/databases/orders", "s-1/orders")]
    [InlineData("/subscriptions/x/resourcegroups/rg/providers/microsoft.sql/servers/s-1/providers/microsoft.insights/diagnosticsettings/all", "all")]
    [InlineData("inference/llm-b-0", "inference/llm-b-0")]
    [InlineData("/subscriptions/x", "/subscriptions/x")]
    [InlineData("/subscriptions/x/providers/", "/subscriptions/x/providers/")]
    public void Target_IsReadByItsName(string target, string words) => IncidentText.Target(target).ShouldBe(words);

    [Fact]
    public async Task SelfHealingQuestionAndCards_NameTheMachineAlone()
    {
        await using var world = new IncidentWorld();
        var runbook = Given.Runbook();
        runbook = runbook with { Mitigation = runbook.Mitigation with { Approval = null } };

        var healed = await world.OpenAsync(runbook, Given.Incident(runbook) with { Target = Machine });

        healed.LatestGate!.Question.ShouldBe("Run this self-healing runbook on vm-batch-1?");
        healed.Target.ShouldBe(Machine);
        await world.AdvanceAsync(healed.Id, TimeSpan.FromMinutes(6));
        world.Notifier.Sent.ShouldNotBeEmpty();
        world.Notifier.Sent.ShouldAllBe(sent => sent.Card.Title.EndsWith("on vm-batch-1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AskOfARunbook_NamesTheMachineAlone()
    {
        await using var world = new IncidentWorld();
        var runbook = Given.Runbook();
        runbook = runbook with { Mitigation = runbook.Mitigation with { Approval = Given.Approval() with { Ask = "Fix {{ target }}?" } } };

        var asked = await world.OpenAsync(runbook, Given.Incident(runbook) with { Target = Machine });

        asked.OpenGate!.Question.ShouldBe("Fix vm-batch-1?");
    }

    [Fact]
    public async Task StepsThatCureTheCause_SayNothingOfUndoing()
    {
        await using var world = new IncidentWorld();

        var asked = await world.OpenAsync(Given.Runbook());

        asked.OpenGate!.Plan.Steps.Select(step => (step.Phase, step.ShowsUndo)).ShouldBe([(Phase.Mitigation, true), (Phase.Resolution, false)]);
        var card = world.Notifier.Sent.First(sent => sent.Card.Kind == CardKind.ApprovalRequest).Card;
        card.Sections.Single(section => section.Heading == "How to undo it").Lines.Count.ShouldBe(1);
    }
}
