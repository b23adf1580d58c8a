using System.Text.Json.Nodes;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Schema;
using Runbooks.Model.Definition;

namespace Runbooks.Testing;

/// <summary>JSON Schema of <c>test.yaml</c>; <see cref="TestScriptReader"/> stays the judge.</summary>
internal static class TestSchema
{
    public static JsonObject Create() => SchemaParts.Document("Test of a runbook", "What the world answers, what people do and when, and how it has to end.", new()
    {
        ["source"] = SchemaParts.Choice(TriggerReader.Sources, "Who sends the alert; manual when a person starts the runbook."),
        ["alert"] = SchemaParts.WordOr(SchemaParts.Mapping("The alert itself.", new()
        {
            ["name"] = SchemaParts.Text("The rule's name."),
            ["severity"] = SchemaParts.Text("As the sender writes it."),
            ["summary"] = SchemaParts.Text("What the alert says."),
            ["labels"] = SchemaParts.Texts("Its labels."),
            ["annotations"] = SchemaParts.Texts("Its annotations."),
            ["fingerprint"] = SchemaParts.Text("What is the same for every alert of this fault."),
            ["link"] = SchemaParts.Text("Where the sender shows it."),
            ["runbook"] = SchemaParts.Text("The runbook that the alert names."),
        }), null, $"A file beside the test, as its sender posts it (default {TestAlert.DefaultFile}), or the alert itself."),
        ["by"] = SchemaParts.Text("Who starts it by hand; goes with 'source: manual'."),
        ["proposed"] = SchemaParts.Flag("An assistant started it: people are asked before anything runs, also where the runbook would only tell."),
        ["mode"] = SchemaParts.Choice<RunMode>("How far any runbook may go; the stricter of this and its own counts."),
        ["objections"] = SchemaParts.Mapping("What the guardrails say when a phase asks.", new()
        {
            ["mitigation"] = SchemaParts.Choice(TestScriptReader.Objections, "Of the mitigation."),
            ["resolution"] = SchemaParts.Choice(TestScriptReader.Objections, "Of the resolution."),
        }),
        ["checks"] = Named(SchemaParts.List(SchemaParts.WordOr(SchemaParts.Mapping("An answer.", new()
        {
            ["verdict"] = SchemaParts.Choice(TestScriptReader.Verdicts, "What it answers."),
            ["summary"] = SchemaParts.Text("What was found, in words."),
            ["value"] = SchemaParts.AnyText("The measured value."),
            ["times"] = SchemaParts.Integer(1, 100_000, "How often in a row. Default: 1."),
        }, "verdict"), TestScriptReader.Verdicts, "A word, or more."), "One answer after another; the last one stays."), "By the check's name in the runbook."),
        ["steps"] = Named(SchemaParts.WordOr(SchemaParts.Mapping("What a step does.", new()
        {
            ["outcome"] = SchemaParts.Choice(TestScriptReader.Outcomes, "How it goes. Default: done."),
            ["changes"] = SchemaParts.Flag("What it acts on is another once it was approved."),
            ["outputs"] = SchemaParts.Texts("What later steps may read."),
            ["undo"] = SchemaParts.Choice(TestScriptReader.Undos, "How taking it back goes; left: somebody else has changed it since; handedOn: another incident holds it now and takes it back; asBefore: it was so before. Default: done."),
            ["takes"] = SchemaParts.Duration("How long it takes; at once unless said:"),
        }), TestScriptReader.Outcomes, "A word, or more."), "By the step's name; done unless named."),
        ["events"] = SchemaParts.List(Event(), "What happens a while after the alert."),
        ["expect"] = SchemaParts.Mapping("How it has to end.", new()
        {
            ["state"] = SchemaParts.Choice(TestScriptReader.States, "The final state."),
            ["steps"] = Named(SchemaParts.Choice(TestScriptReader.Statuses, "How the step ended."), "The steps that were tried, in order; {} when nothing ran."),
        }, "state"),
    }, "source", "expect");

    private static JsonObject Event()
    {
        var deeds = TestScriptReader.Deeds.Append("resolved").ToList();
        var happening = SchemaParts.Mapping("Exactly one thing that happens.", new()
        {
            ["after"] = SchemaParts.Duration("How long after the alert:"),
            ["approve"] = SchemaParts.Text("Who approves."),
            ["reject"] = SchemaParts.Text("Who rejects."),
            ["takeOver"] = SchemaParts.Text("Who takes over."),
            ["done"] = SchemaParts.Text("Who says that a step of a person is done."),
            ["couldNot"] = SchemaParts.Text("Who says that it could not be done."),
            ["items"] = new JsonObject { ["type"] = new JsonArray("array", "integer"), ["items"] = new JsonObject { ["type"] = "integer", ["minimum"] = 1 }, ["description"] = "Items of the checklist that are done, counted from 1." },
            ["cancel"] = SchemaParts.Text("Who stops the incident."),
            ["takeBack"] = SchemaParts.Text("Who has what was changed taken back."),
            ["resolved"] = SchemaParts.Flag("The sender says that the alert is over."),
            ["reason"] = SchemaParts.Text("Why, in words."),
        }, "after");
        happening["oneOf"] = new JsonArray([.. deeds.Select(deed => new JsonObject { ["required"] = new JsonArray(deed) })]);
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
