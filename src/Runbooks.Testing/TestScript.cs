using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Runbooks.Catalog.Schema;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Testing;

/// <summary><c>test.yaml</c>: what the world answers, what people do and when, and how it has to end.</summary>
internal sealed class TestScript : WorldScript
{
    /// <summary>The alert's sender; <c>manual</c> when a person starts the runbook.</summary>
    public required string Source { get; init; }

    public TestAlert Alert { get; init; } = new() { File = TestAlert.DefaultFile };

    public string? By { get; init; }

    /// <inheritdoc cref="Runbooks.Model.Incidents.Incident.IsProposed"/>
    public bool Proposed { get; init; }

    public List<TestEvent> Events { get; init; } = [];

    public required TestExpectation Expect { get; init; }

    public bool ByHand => AlertIdentity.IsByHand(Source);

    public TestScript With(Dictionary<string, List<ScriptedAnswer>> checks, Dictionary<string, ScriptedStep> steps) => new()
    {
        Source = Source, Alert = Alert, By = By, Proposed = Proposed, Events = Events, Expect = Expect, Mode = Mode, Objections = Objections, Checks = checks, Steps = steps,
    };
}

internal sealed class TestExpectation
{
    public required string State { get; init; }

    /// <summary>The steps that were tried, in order, and how each ended: <c>recycle: done</c>.</summary>
    public Dictionary<string, string>? Steps { get; init; }
}

/// <summary>The alert of a test: a file in its sender's form, or the alert itself in the form of <c>generic</c>.</summary>
internal sealed class TestAlert
{
    public const string DefaultFile = "alert.json";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Relative to the case; null when the alert is in the test itself.</summary>
    [JsonIgnore]
    public string? File { get; init; }

    public string? Name { get; init; }
    public string? Severity { get; init; }
    public string? Summary { get; init; }
    public Dictionary<string, string> Labels { get; init; } = [];
    public Dictionary<string, string> Annotations { get; init; } = [];
    public string? Fingerprint { get; init; }
    public string? Link { get; init; }
    public string? Runbook { get; init; }

    /// <summary>As <c>generic</c> posts it, so that it is bounded and cleaned like any other.</summary>
    public byte[] ToGeneric() => JsonSerializer.SerializeToUtf8Bytes(this, s_json);
}

internal sealed class TestEvent
{
    /// <summary>Counted from the alert.</summary>
    public required TimeSpan After { get; init; }
    public string? Approve { get; init; }
    public string? Reject { get; init; }
    public string? TakeOver { get; init; }

    /// <summary>A person has done a step by hand: the named items, or all that are left.</summary>
    public string? Done { get; init; }

    /// <summary>A person could not do such a step, and says why in the reason.</summary>
    public string? CouldNot { get; init; }

    /// <summary>Items of a checklist, counted from 1.</summary>
    public List<int>? Items { get; init; }

    public string? Cancel { get; init; }

    public string? TakeBack { get; init; }

    public bool Resolved { get; init; }
    public string? Reason { get; init; }
}

internal class WorldScript
{
    /// <summary>How far any runbook may go; the stricter of this and the runbook's own counts.</summary>
    public string? Mode { get; init; }

    /// <summary>The real checks are asked, and the real actions look at their targets. Acting is pretended all the same.</summary>
    [JsonIgnore]
    public bool IsLive { get; init; }

    /// <summary>Each step gives an example of the real action's outputs.</summary>
    [JsonIgnore]
    public bool AssumesOutputs { get; init; }

    /// <summary>By phase: the guardrails' answer when its question opens, since a played incident has no past.</summary>
    public Dictionary<string, string> Objections { get; init; } = [];

    /// <summary>The answers of each check in turn; the last one stays.</summary>
    public Dictionary<string, List<ScriptedAnswer>> Checks { get; init; } = [];

    /// <summary>The answer of a check after a step has acted. A check that is not named goes on with its other answers.</summary>
    [JsonIgnore]
    public Dictionary<string, ScriptedAnswer> Afterwards { get; init; } = [];

    /// <summary>What each step does: <c>done</c> by default.</summary>
    public Dictionary<string, ScriptedStep> Steps { get; init; } = [];

    /// <summary>Names that the runbook does not have, and outcomes of steps that a person does. They would be ignored without a word.</summary>
    public IEnumerable<TestProblem> Strangers(Runbook runbook)
    {
        var checks = runbook.Diagnosis.Select(check => check.Name).ToList();
        var steps = runbook.AllSteps().Select(one => one.Step.Name).ToList();
        return Checks.Keys.Except(checks).Select(name => Stranger("check", $"checks.{name}", name, checks))
            .Concat(Steps.Keys.Except(steps).Select(name => Stranger("step", $"steps.{name}", name, steps)))
            .Concat(runbook.AllSteps()
                .Where(one => one.Step.Do == BuiltInSteps.Person && IsForPrograms(Steps.GetValueOrDefault(one.Step.Name, ScriptedStep.Usual)))
                .Select(one => new TestProblem(
                    $"steps.{one.Step.Name}",
                    $"A person does step '{one.Step.Name}', so how it goes is what they answer: "
                        + "in a test an event (done, couldNot), in a simulation --decision.",
                    IsKey: true)));
    }

    /// <summary>That a step cannot run as things are is found before a person is asked as well.</summary>
    private static bool IsForPrograms(ScriptedStep step) =>
        step.Outcome is "fails" or "nothingDone" || step.Duration > TimeSpan.Zero || step.Undo != ScriptedStep.Usual.Undo;

    /// <summary>Outputs that the step's action does not have, so that no later step could read them for real.</summary>
    public IEnumerable<TestProblem> StrangeOutputs(Runbook runbook, StepCatalog catalog) =>
        from spec in runbook.AllSteps().Select(one => one.Step)
        let action = catalog.FindAction(spec.Do)
        from output in Steps.GetValueOrDefault(spec.Name, ScriptedStep.Usual).Outputs.Keys
        where action is not null && (action.IsManual || action.Outputs.All(known => known.Name != output))
        select new TestProblem($"steps.{spec.Name}.outputs.{output}", action.IsManual
            ? "A person does this step: who did it is said by an event, 'done'."
            : $"{action.Name} has no output '{output}'. {action.RemedyFor(output)}", IsKey: true);

    private static TestProblem Stranger(string kind, string path, string name, List<string> known) =>
        new(
            path,
            $"The runbook has no {kind} '{name}'. {Suggestion.For(name, known)}It has: {(known.Count == 0 ? "none" : string.Join(", ", known))}.",
            IsKey: true);
}

/// <summary>JSON Schema of <c>test.yaml</c>. <see cref="TestScriptReader"/> decides.</summary>
internal static class TestSchema
{
    public static JsonObject Create() =>
        SchemaParts.Document("Test of a runbook", "What the world answers, what people do and when, and how it has to end.", new()
    {
        ["source"] = SchemaParts.Choice(AlertSource.All, "Who sends the alert; manual when a person starts the runbook."),
        ["alert"] = SchemaParts.WordOr(SchemaParts.Mapping("The alert itself.", new()
        {
            ["name"] = SchemaParts.Text("The rule's name."),
            ["severity"] = SchemaParts.AnyText("As the sender writes it."),
            ["summary"] = SchemaParts.AnyText("What the alert says."),
            ["labels"] = SchemaParts.Texts("Its labels."),
            ["annotations"] = SchemaParts.Texts("Its annotations."),
            ["fingerprint"] = SchemaParts.AnyText("What is the same for every alert of this fault."),
            ["link"] = SchemaParts.AnyText("Where the sender shows it."),
            ["runbook"] = SchemaParts.AnyText("The runbook that the alert names."),
        }), null, $"A file beside the test, as its sender posts it (default {TestAlert.DefaultFile}), or the alert itself."),
        ["by"] = SchemaParts.Text("Who starts it by hand; goes with 'source: manual'."),
        ["proposed"] = SchemaParts.Flag("An assistant started it: people are asked before anything runs, also where the runbook would only tell."),
        ["mode"] = SchemaParts.Choice<RunMode>("How far any runbook may go; the stricter of this and its own counts."),
        ["objections"] = SchemaParts.Mapping("What the guardrails say when a phase asks.", new()
        {
            ["mitigation"] = SchemaParts.Choice(TestScriptReader.GuardrailAnswers, "Of the mitigation."),
            ["resolution"] = SchemaParts.Choice(TestScriptReader.GuardrailAnswers, "Of the resolution."),
        }),
        ["checks"] = Named(SchemaParts.List(SchemaParts.WordOr(SchemaParts.Mapping("An answer.", new()
        {
            ["verdict"] = SchemaParts.Choice(TestScriptReader.Verdicts, "What it answers."),
            ["summary"] = SchemaParts.AnyText("What was found, in words."),
            ["value"] = SchemaParts.AnyText("The measured value."),
            ["caveat"] = SchemaParts.Text(
                "Why its passing shows less than it seems to, such as 'without a request to show it': no sign of health while the alert fires."),
            ["behind"] = SchemaParts.Duration("What it tells was measured so long before it is asked; at that moment unless said:"),
            ["times"] = SchemaParts.Count(100_000, "How often in a row. Default: 1."),
        }, "verdict"), TestScriptReader.Verdicts, "A word, or more."), "One answer after another; the last one stays."), "By the check's name in the runbook."),
        ["steps"] = Named(SchemaParts.WordOr(SchemaParts.Mapping("What a step does.", new()
        {
            ["outcome"] = SchemaParts.Choice(TestScriptReader.Outcomes, "How it goes. Default: done."),
            ["changes"] = SchemaParts.Flag("What it acts on is another once it was approved."),
            ["outputs"] = SchemaParts.Texts("What later steps may read."),
            ["undo"] = SchemaParts.Choice(
                TestScriptReader.Undos,
                "How taking it back goes; left: somebody else has changed it since; handedOn: "
                    + "another incident holds it now and takes it back; asBefore: it was so before. Default: done."),
            ["takes"] = SchemaParts.Duration("How long it takes; at once unless said:"),
        }), TestScriptReader.Outcomes, "A word, or more."), "By the step's name; done unless named."),
        ["events"] = SchemaParts.List(Event(), "What happens a while after the alert."),
        ["expect"] = SchemaParts.Mapping("How it has to end.", new()
        {
            ["state"] = SchemaParts.Choice(TestScriptReader.States, "The final state."),
            ["steps"] = Named(
                SchemaParts.Choice(TestScriptReader.Statuses, "How the step ended."),
                "The steps that were tried, in order; {} when nothing ran."),
        }, "state"),
    }, "source", "expect");

    private static JsonObject Event()
    {
        var kinds = TestScriptReader.EventKinds.Append("resolved").ToList();
        var happening = SchemaParts.Mapping("Exactly one thing that happens.", new()
        {
            ["after"] = SchemaParts.Duration("How long after the alert:"),
            ["approve"] = SchemaParts.Text("Who approves."),
            ["reject"] = SchemaParts.Text("Who rejects."),
            ["takeOver"] = SchemaParts.Text("Who takes over."),
            ["done"] = SchemaParts.Text("Who says that a step of a person is done."),
            ["couldNot"] = SchemaParts.Text("Who says that it could not be done."),
            ["items"] = new JsonObject
            {
                ["type"] = new JsonArray("array", "integer"),
                ["items"] = new JsonObject { ["type"] = "integer", ["minimum"] = 1 },
                ["description"] = "Items of the checklist that are done, counted from 1.",
            },
            ["cancel"] = SchemaParts.Text("Who stops the incident."),
            ["takeBack"] = SchemaParts.Text("Who has what was changed taken back."),
            ["resolved"] = new JsonObject { ["const"] = true, ["description"] = "The sender says that the alert is over." },
            ["reason"] = SchemaParts.AnyText("Why, in words."),
        }, "after");
        happening["oneOf"] = new JsonArray([.. kinds.Select(deed => new JsonObject { ["required"] = new JsonArray(deed) })]);
        return happening;
    }

    /// <summary>An empty mapping is allowed.</summary>
    private static JsonObject Named(JsonObject value, string description)
    {
        var named = SchemaParts.Named(value, description);
        named.Remove("minProperties");
        return named;
    }
}
