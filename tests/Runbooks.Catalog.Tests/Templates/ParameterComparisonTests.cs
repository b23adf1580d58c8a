using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;

namespace Runbooks.Catalog.Tests.Templates;

public sealed class ParameterComparisonTests
{
    /// <summary>Custom properties and dimensions of Azure may be called anything.</summary>
    [Theory]
    [InlineData("größe")]
    [InlineData("a&b")]
    [InlineData("disk")]
    public void AlertsThatDifferInALabelThatIsRead_AreNotTheSame(string label)
    {
        var runbook = Runbook($"The {{{{ labels.{label} }}}} is full.");

        ParameterComparison.AreSame(runbook, "t", With(label, "one"), With(label, "two")).ShouldBeFalse();
        ParameterComparison.AreSame(runbook, "t", With(label, "one"), With(label, "one")).ShouldBeTrue();
    }

    [Fact]
    public void WhatStandsBehindALongText_IsComparedToo()
    {
        var runbook = Runbook(new string('x', 1_900), "{{ labels.disk }}");
        runbook = runbook with { Mitigation = runbook.Mitigation with { Steps = [.. Enumerable.Repeat(runbook.Mitigation.Steps[0], 10), runbook.Mitigation.Steps[^1]] } };

        ParameterComparison.AreSame(runbook, "t", With("disk", "one"), With("disk", "two")).ShouldBeFalse();
    }

    /// <summary>Whoever starts it by hand names the resource as Azure writes it, and gives no id of it.</summary>
    [Fact]
    public void ResourceThatAPersonNamedByHand_IsTheOneOfTheAlert()
    {
        var runbook = Runbook("Restart {{ labels.resourceName }}.");
        var byHand = With("resourceName", "VM-GPU-1");

        ParameterComparison.AreSame(runbook, "t", byHand, byHand with { Resources = ["/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm-gpu-1"] }).ShouldBeTrue();
        ParameterComparison.AreSame(runbook, "t", byHand, With("resourceName", "vm-gpu-1")).ShouldBeFalse("of another sender it may be two things");
    }

    /// <summary>A pod that its deployment or daemon set makes anew has another name: a fix that recycles it, and does not last, came undone all the same.</summary>
    [Theory]
    [InlineData("llm-b-7d4b9c6f5d-x2k4z", "llm-b-7d4b9c6f5d-9wqhv", true)]
    [InlineData("llm-b-7d4b9c6f5d-x2k4z", "llm-b-6c8f7d9b4-9wqhv", true)]
    [InlineData("dcgm-exporter-x2k4z", "dcgm-exporter-9wqhv", true)]
    [InlineData("llm-b-7d4b9c6f5d-x2k4z", "llm-c-7d4b9c6f5d-x2k4z", false)]
    [InlineData("llm-b-0", "llm-b-1", false)]
    public void PodUnderItsNextGeneratedName_IsTheSameThing(string before, string now, bool same)
    {
        var runbook = Runbook("Recycle {{ labels.exported_pod }}.");

        (Subject(before) == Subject(now)).ShouldBe(same);

        string? Subject(string pod) => ParameterComparison.SubjectOf(runbook, With("exported_pod", pod), _ => true);
    }

    private static Alert With(string label, string value) => new() { Source = "generic", Name = "Something", Fingerprint = "f", Labels = new Dictionary<string, string> { [label] = value } };

    private static Runbook Runbook(params string[] notes) => new RunbookReader(SampleSteps.Catalog()).Read("a", $$$"""
        id: sample
        title: Sample
        trigger: [{ alert: Something }]
        target: "{{ labels.pod }}"
        impact: { severity: low, users: Nobody notices. }
        mitigation:
          approval: { ask: "Do it?", from: [oncall] }
          steps:
        {{{string.Join('\n', notes.Select((note, index) => $"    tell-{index}: {{ do: note, with: {{ text: \"{note}\" }} }}"))}}}
        """).Runbook!;
}
