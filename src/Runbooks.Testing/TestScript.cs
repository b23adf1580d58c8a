using System.Diagnostics.CodeAnalysis;
using Runbooks.Intake;

namespace Runbooks.Testing;

/// <summary><c>test.yaml</c>: what the world answers, what people do and when, and how it has to end.</summary>
[SuppressMessage("Usage", "CA2227", Justification = "Filled by the YAML reader.")]
internal sealed class TestScript : WorldScript
{
    /// <summary>Who sends the alert; <c>manual</c> when a person starts the runbook.</summary>
    public required string Source { get; set; }

    public TestAlert Alert { get; set; } = new() { File = "alert.json" };

    /// <summary>Who starts it by hand.</summary>
    public string? By { get; set; }

    public List<TestEvent> Events { get; set; } = [];

    public required TestExpectation Expect { get; set; }

    public bool ByHand => Source == ManualStart.Source;

    public override void Validate(Action<string> fail)
    {
        base.Validate(fail);
        if (ByHand != By is not null)
        {
            fail($"by (the person's name) and source: {ManualStart.Source} belong together.");
        }

        Events.ForEach(happening => happening.Validate(fail));
    }
}

internal sealed class TestExpectation
{
    public required string State { get; set; }

    /// <summary>The steps that were tried, in order, and how each ended: <c>recycle: done</c>.</summary>
    [SuppressMessage("Usage", "CA2227", Justification = "Filled by the YAML reader.")]
    public Dictionary<string, string>? Steps { get; set; }
}
