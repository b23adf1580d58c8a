namespace Runbooks.Intake.Parsing.AzureMonitor;

/// <summary>
/// What the parts of one common-schema alert add up to. Each part reads the fields that it knows and leaves the rest:
/// nothing switches on <c>monitoringService</c>, whose values Azure spells in more than one way.
/// </summary>
internal sealed class AzureFacts
{
    public LabelSet Labels { get; } = LabelSet.ForLabels();

    public LabelSet Annotations { get; } = LabelSet.ForAnnotations();

    /// <summary>The rule's name when the context knows it better than the essentials.</summary>
    public string? Name { get; set; }

    /// <summary>One line that says more than the rule's description, which is the same each time.</summary>
    public string? Summary { get; set; }

    /// <summary>One line for a rule without a description.</summary>
    public string? Fallback { get; set; }

    public string? Link { get; set; }

    public string? Runbook { get; set; }

    /// <summary>What the alert is about when the essentials name no target.</summary>
    public string? Scope { get; set; }
}
