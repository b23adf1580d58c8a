using System.Diagnostics.CodeAnalysis;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Testing;

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
