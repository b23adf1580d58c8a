using System.Text;
using System.Text.Json;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Integrations.Tests;

/// <summary>The reference of all checks and actions, as Markdown.</summary>
internal static class IntegrationsPage
{
    public static string Write(StepCatalog catalog)
    {
        var page = new StringBuilder();
        page.Append("# Checks and actions\n\n"
            + "Everything that a runbook may name, with its parameters. This page is written out of the code; do not edit it: change the code and run `UPDATE_DOCS=1 dotnet test tests/Runbooks.Integrations.Tests`.\n\n"
            + "*Role* is the least Azure or Kubernetes role that suffices. *Undo* says whether a failed fix or an ended lease takes it back; with `undo`: when the step says how. *Repeatable* says whether it is tried again after a crash or a fault; what is not is reported as unknown, and a person looks. *Asks*: what always asks runs only after a person's yes, never in a runbook that asks nobody and never because nobody answered. *Output*: what later steps may read of it, as `{{ steps.<step>.<output> }}`; an action without such a table has none.\n\n");
        page.Append("## Overview\n\n| name | | role | undo | repeatable | asks |\n|---|---|---|---|---|---|\n");
        foreach (var check in catalog.Checks.OrderBy(check => check.Name, StringComparer.Ordinal))
        {
            page.Append($"| [`{check.Name}`](#{Anchor(check.Name)}) | check | {Cell(check.Role ?? "none")} | reads only | yes | never |\n");
        }

        foreach (var action in catalog.Actions.OrderBy(action => action.Name, StringComparer.Ordinal))
        {
            page.Append($"| [`{action.Name}`](#{Anchor(action.Name)}) | action | {Cell(action.Role ?? "none")} | {Undo(action)} | {(action.Repeatable ? "yes" : "no")} | {Asks(action)} |\n");
        }

        page.Append("\n## Checks\n");
        foreach (var check in catalog.Checks.OrderBy(check => check.Name, StringComparer.Ordinal))
        {
            var time = check.UsualTimeout == CheckSpec.DefaultTimeout ? "" : $" Its `timeout` is {DurationText.Format(check.UsualTimeout)} where the file has none.";
            Step(page, check.Name, $"{check.Summary}{time}", check.ParametersType);
        }

        page.Append("\n## Actions\n");
        foreach (var action in catalog.Actions.OrderBy(action => action.Name, StringComparer.Ordinal))
        {
            Step(page, action.Name, action.Summary, action.ParametersType);
            Outputs(page, action.Outputs);
        }

        return page.ToString();
    }

    private static string Undo(IAction action) =>
        action.Reversible ? "yes" : action.ReversalOf(JsonSerializer.SerializeToElement(new { undo = new { } })) == Reversal.Undone ? "with `undo`" : "no";

    private static string Asks(IAction action) =>
        action.AlwaysAsks(default) ? "always" : action.AlwaysAsks(JsonSerializer.SerializeToElement(new { effect = "noExecute" })) ? "always with `effect: noExecute`" : "as the runbook says";

    private static void Step(StringBuilder page, string name, string summary, Type parameters)
    {
        page.Append($"\n### {name}\n\n{summary}\n\n| parameter | | default | |\n|---|---|---|---|\n");
        foreach (var parameter in StepParameters.Of(parameters))
        {
            var value = parameter.Required ? "required" : parameter.Default is { } text ? $"`{text}`" : "";
            page.Append($"| `{parameter.Name}` | {Cell(parameter.Expected)} | {value} | {Cell(parameter.Description)}{(parameter.Secret ? " Secret: never shown, and in no incident's record." : "")} |\n");
        }
    }

    private static void Outputs(StringBuilder page, IReadOnlyList<StepOutput> outputs)
    {
        if (outputs.Count > 0)
        {
            page.Append("\n| output | |\n|---|---|\n").AppendJoin("", outputs.Select(output => $"| `{output.Name}` | {Cell(output.Description)} |\n"));
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("\n", " ", StringComparison.Ordinal);

    private static string Anchor(string name) => name.ToLowerInvariant().Replace(".", "", StringComparison.Ordinal);
}
