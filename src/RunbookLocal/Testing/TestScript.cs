using System.Diagnostics.CodeAnalysis;
using Runbooks.Catalog;

namespace RunbookLocal.Testing;

/// <summary><c>test.yaml</c>: what the world answers, what people do and when, and how it has to end.</summary>
[SuppressMessage("Usage", "CA2227", Justification = "Filled by the YAML reader.")]
internal sealed class TestScript
{
    /// <summary>The sender whose form the alert has.</summary>
    public required string Source { get; set; }

    public string Alert { get; set; } = "alert.json";

    /// <summary>What each check answers, one time after another; the last answer stays.</summary>
    public Dictionary<string, List<string>> Checks { get; set; } = [];

    /// <summary>What each step does: <c>done</c> unless named.</summary>
    public Dictionary<string, string> Steps { get; set; } = [];

    public List<TestEvent> Events { get; set; } = [];

    public required TestExpectation Expect { get; set; }

    /// <param name="fail">Called with the first thing that is wrong.</param>
    public void Validate(Action<string> fail)
    {
        foreach (var (check, answers) in Checks)
        {
            if (answers.Count == 0 || answers.Exists(answer => answer is not ("passing" or "failing" or "unknown")))
            {
                fail($"checks.{check} has to be a list of passing, failing and unknown.");
            }
        }

        foreach (var (step, outcome) in Steps)
        {
            if (outcome is not ("done" or "fails" or "refused"))
            {
                fail($"steps.{step} is '{outcome}'; it has to be done, fails or refused.");
            }
        }

        Events.ForEach(happening => happening.Validate(fail));
    }
}

/// <summary>Something that happens a while after the alert. Exactly one of the deeds.</summary>
internal sealed class TestEvent
{
    public required string After { get; set; }
    public string? Approve { get; set; }
    public string? Reject { get; set; }
    public string? TakeOver { get; set; }
    public string? Cancel { get; set; }

    /// <summary>The sender says that the alert is over.</summary>
    public bool Resolved { get; set; }
    public string? Reason { get; set; }

    public TimeSpan Delay => DurationText.TryParse(After, out var delay) ? delay : TimeSpan.Zero;

    public void Validate(Action<string> fail)
    {
        if (!DurationText.TryParse(After, out _))
        {
            fail($"events.after is '{After}'; it has to be {DurationText.Words}.");
        }

        if (new[] { Approve, Reject, TakeOver, Cancel }.Count(deed => deed is not null) + (Resolved ? 1 : 0) != 1)
        {
            fail("each event has exactly one of approve, reject, takeOver, cancel (with the person's name) and resolved: true.");
        }
    }
}

internal sealed class TestExpectation
{
    public required string State { get; set; }

    /// <summary>The steps that were tried, in order, and how each ended: <c>recycle: done</c>.</summary>
    public Dictionary<string, string>? Steps { get; set; }
}
