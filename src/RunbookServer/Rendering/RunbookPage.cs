using System.Globalization;
using System.Text;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace RunbookServer.Rendering;

/// <summary>A runbook as a Markdown page with a Mermaid diagram: for a wiki, or for the review of a change.</summary>
internal static class RunbookPage
{
    public static string Write(Runbook runbook)
    {
        var page = new StringBuilder();
        Line(page, $"# {runbook.Title}\n");
        Line(page, $"{runbook.Summary}\n");
        Line(page, $"Runbook `{runbook.Id}`, one incident for each `{runbook.Target}`.\n");
        Line(page, $"- **Users**: {runbook.Impact.Users}\n- **Data**: {runbook.Impact.Data}\n");
        Line(page, $"```mermaid\n{Diagram(runbook)}```\n");
        Section(page, "Diagnosis", runbook.Diagnosis.Select(check => $"- **{check.Name}**: {check.Ask} (`{check.Check}`, at most {DurationText.Format(check.Timeout)})"));
        Section(page, "Mitigation", [.. Asked(runbook.Mitigation.Approval), .. Steps(runbook.Mitigation.Steps), .. Verified(runbook.Mitigation.Verify)]);
        Section(page, "Resolution", [.. Asked(runbook.Resolution.Approval), .. Steps(runbook.Resolution.Steps)]);
        return page.ToString().TrimEnd() + "\n";
    }

    private static string Diagram(Runbook runbook)
    {
        var lines = new StringBuilder("flowchart TD\n");
        Line(lines, $"  alert([\"Alert on {Quoted(runbook.Target)}\"])");
        var from = "alert";
        for (var i = 0; i < runbook.Diagnosis.Count; i++)
        {
            Line(lines, $"  alert --> check{i}[\"{Quoted(runbook.Diagnosis[i].Ask)}\"] --> found{{\"What was found?\"}}");
            from = "found";
        }

        if (from == "found")
        {
            Line(lines, "  found -->|all healthy| unneeded([\"notNeeded\"])");
        }

        from = Phase(lines, from, "mitigation", runbook.Mitigation.Approval, runbook.Mitigation.Steps);
        if (runbook.Mitigation.Verify is { } verify)
        {
            Line(lines, $"  {from} --> verify{{\"{Quoted(string.Join(", ", verify.Checks))} passing within {DurationText.Format(verify.Within)}?\"}}");
            Line(lines, "  verify -->|no| failed([\"undone where it can be, failed\"])");
            from = "verify";
        }

        from = Phase(lines, from, "resolution", runbook.Resolution.Approval, runbook.Resolution.Steps);
        Line(lines, $"  {from} --> resolved([\"resolved\"])");
        return lines.ToString();
    }

    private static string Phase(StringBuilder lines, string from, string name, Approval? approval, IReadOnlyList<StepSpec> steps)
    {
        if (approval is not null)
        {
            Line(lines, $"  {from} --> {name}Gate{{\"{Quoted(approval.Ask)}\"}}");
            Line(lines, $"  {name}Gate -->|no, or nobody in {DurationText.Format(approval.Timeout)}| {name}Ended([\"ends by its answer\"])");
            from = $"{name}Gate";
        }

        for (var i = 0; i < steps.Count; i++)
        {
            Line(lines, $"  {from} --> {name}{i}[\"{Quoted(steps[i].Name)}: {Quoted(steps[i].Do == BuiltInSteps.Person ? "by hand" : steps[i].Do)}\"]");
            from = $"{name}{i}";
        }

        return from;
    }

    private static IEnumerable<string> Asked(Approval? approval) => approval is null ? [] :
    [
        $"- Asks {string.Join(", ", approval.From)}: {approval.Ask} ({approval.Required} of them, within {DurationText.Format(approval.Timeout)})",
        .. approval.Escalate.Select(escalation => $"- After {DurationText.Format(escalation.After)} asks {string.Join(", ", escalation.To)} as well"),
    ];

    private static IEnumerable<string> Steps(IReadOnlyList<StepSpec> steps) =>
        steps.SelectMany((step, i) => (string[])[string.Create(CultureInfo.InvariantCulture, $"- Step {i + 1}, **{step.Name}**: {(step.Do == BuiltInSteps.Person ? "by hand" : $"`{step.Do}`")}"), .. ByHand(step)]);

    private static IEnumerable<string> ByHand(StepSpec step) => step.Do == BuiltInSteps.Person ? ManualAction.LinesOf(step).Select(line => $"  - {line}") : [];

    private static IEnumerable<string> Verified(Verify? verify) =>
        verify is null ? [] : [$"- Then asks {string.Join(", ", verify.Checks)} again every {DurationText.Format(verify.Every)}, for at most {DurationText.Format(verify.Within)}"];

    private static void Section(StringBuilder page, string title, IEnumerable<string> lines)
    {
        var list = lines.ToList();
        if (list.Count > 0)
        {
            Line(page, $"## {title}\n\n{string.Join("\n", list)}\n");
        }
    }

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');

    /// <summary>Inside quotes Mermaid takes everything but quotes; angle brackets would be HTML to it.</summary>
    private static string Quoted(string text) =>
        text.Replace("\"", "#quot;", StringComparison.Ordinal).Replace("<", "#lt;", StringComparison.Ordinal).Replace(">", "#gt;", StringComparison.Ordinal);
}
