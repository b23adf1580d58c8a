using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;
using YamlDotNet.Serialization;

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

/// <summary>The alert of a test: a file in its sender's form, or the alert itself in the form that <c>generic</c> has.</summary>
[SuppressMessage("Usage", "CA2227", Justification = "Filled by the YAML reader.")]
internal sealed class TestAlert : IShortForm
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Relative to the case; null when the alert stands here.</summary>
    [YamlIgnore, JsonIgnore]
    public string? File { get; set; }

    public string? Name { get; set; }
    public string? Severity { get; set; }
    public string? Summary { get; set; }
    public Dictionary<string, string> Labels { get; set; } = [];
    public Dictionary<string, string> Annotations { get; set; } = [];
    public string? Fingerprint { get; set; }
    public string? Link { get; set; }
    public string? Runbook { get; set; }

    public void Read(string word) => File = word;

    /// <summary>As <c>generic</c> posts it, so that it is bounded and cleaned like any other.</summary>
    public byte[] ToGeneric() => JsonSerializer.SerializeToUtf8Bytes(this, s_json);
}

/// <summary>Something that happens a while after the alert. Exactly one of the deeds.</summary>
internal sealed class TestEvent
{
    public required string After { get; set; }
    public string? Approve { get; set; }
    public string? Reject { get; set; }
    public string? TakeOver { get; set; }

    /// <summary>Says that a step is done that a person does: the items that are named, or all that are left.</summary>
    public string? Done { get; set; }

    /// <summary>Says that such a step could not be done; the reason says why.</summary>
    public string? CouldNot { get; set; }

    /// <summary>Items of a checklist, counted from 1.</summary>
    [SuppressMessage("Usage", "CA2227", Justification = "Filled by the YAML reader.")]
    public List<int>? Items { get; set; }
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

        if (Items is not null && (Done ?? CouldNot ?? TakeOver) is null)
        {
            fail("events.items belongs to done, couldNot or takeOver.");
        }

        if (new[] { Approve, Reject, TakeOver, Done, CouldNot, Cancel }.Count(deed => deed is not null) + (Resolved ? 1 : 0) != 1)
        {
            fail("each event has exactly one of approve, reject, takeOver, done, couldNot, cancel (with the person's name) and resolved: true.");
        }
    }
}

/// <summary>What the world outside answers while an incident is played.</summary>
[SuppressMessage("Usage", "CA2227", Justification = "Filled by the YAML reader.")]
internal class WorldScript
{
    /// <summary>How far any runbook may go; the stricter of this and the runbook's own counts.</summary>
    public string? Mode { get; set; }

    /// <summary>By phase: what the guardrails say when its question opens, since a played incident has no past.</summary>
    public Dictionary<string, string> Objections { get; set; } = [];

    /// <summary>What each check answers, one time after another; the last answer stays.</summary>
    public Dictionary<string, List<ScriptedAnswer>> Checks { get; set; } = [];

    /// <summary>What each step does: <c>done</c> unless named.</summary>
    public Dictionary<string, ScriptedStep> Steps { get; set; } = [];

    /// <param name="fail">Called with each thing that is wrong.</param>
    public virtual void Validate(Action<string> fail)
    {
        if (Mode is not (null or "normal" or "approveAll" or "dryRun"))
        {
            fail($"mode is '{Mode}'; it has to be normal, approveAll or dryRun.");
        }

        foreach (var (phase, objection) in Objections)
        {
            if (phase is not ("mitigation" or "resolution") || objection is not ("tell" or "askFirst" or "diagnoseOnly" or "suppress" or "forbid"))
            {
                fail($"objections.{phase} is '{objection}'; mitigation and resolution can have tell, askFirst, diagnoseOnly, suppress or forbid.");
            }
        }

        foreach (var (check, answers) in Checks)
        {
            if (answers.Count == 0 || answers.Exists(answer => !answer.IsUsable))
            {
                fail($"checks.{check} has to be a list of passing, failing and unknown.");
            }
        }

        foreach (var (name, step) in Steps)
        {
            step.Validate(problem => fail($"steps.{name}{problem}"));
        }
    }

    /// <summary>Names that the runbook does not have: what they were meant to say would silently not be said.</summary>
    public IEnumerable<string> Strangers(Runbook runbook)
    {
        var checks = runbook.Diagnosis.Select(check => check.Name).ToList();
        var steps = runbook.Mitigation.Steps.Concat(runbook.Resolution.Steps).Select(step => step.Name).ToList();
        return Checks.Keys.Except(checks).Select(name => Stranger("check", name, checks))
            .Concat(Steps.Keys.Except(steps).Select(name => Stranger("step", name, steps)));
    }

    private static string Stranger(string kind, string name, List<string> known) =>
        $"The runbook has no {kind} '{name}'. {Suggestion.For(name, known)}It has: {(known.Count == 0 ? "none" : string.Join(", ", known))}.";
}
