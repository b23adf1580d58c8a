using System.Text;

namespace RunbookServer.Commands;

internal sealed class RunbookDiagram
{
    private readonly StringBuilder _lines = new("flowchart TD\n");

    public static string Draw(Runbook runbook)
    {
        var diagram = new RunbookDiagram();
        diagram.Line($"alert([\"Alert on {Quoted(runbook.Target)}\"])");
        var from = diagram.Diagnosis(runbook);
        from = diagram.Phase(from, "mitigation", runbook.Mitigation.Approval, runbook.Mitigation.Steps);
        from = diagram.Verification(from, runbook.Mitigation);
        from = diagram.Lease(from, runbook.Mitigation.HoldUntil);
        from = diagram.Phase(from, "resolution", runbook.Resolution.Approval, runbook.Resolution.Steps);
        diagram.Line($"{from} --> resolved([\"resolved\"])");
        return diagram._lines.ToString();
    }

    private string Diagnosis(Runbook runbook)
    {
        if (runbook.Diagnosis.Count == 0)
        {
            return "alert";
        }

        foreach (var (index, check) in runbook.Diagnosis.Index())
        {
            Line($"alert --> check{index}[\"{Quoted(check.Ask)}\"] --> found{{\"What was found?\"}}");
        }

        var healthy = runbook.Limits.HealthyFor > TimeSpan.Zero ? $", for {DurationText.Format(runbook.Limits.HealthyFor)}" : "";
        Line($"found -->|nothing that calls for it{healthy}| unneeded([\"notNeeded\"])");
        return "found";
    }

    private string Phase(string from, string name, Approval? approval, IReadOnlyList<StepSpec> steps)
    {
        if (approval is not null)
        {
            Line($"{from} --> {name}Gate{{\"{Quoted(approval.Ask)}<br/>{Quoted(string.Join(", ", approval.From))}\"}}");
            foreach (var (index, escalation) in approval.Escalate.Index())
            {
                var after = $"|after {DurationText.Format(escalation.After)}|";
                Line($"{name}Gate -.->{after} {name}Escalation{index}[\"{Quoted(string.Join(", ", escalation.To))} asked too\"]");
            }

            Line($"{name}Gate -->|no| {name}Rejected([\"rejected\"])");
            Line($"{name}Gate -->|{DurationText.Format(approval.Timeout)} without an answer| {name}Silence([\"{approval.OnTimeout switch
            {
                OnTimeout.ProceedIfReversible => "goes on, or with a warning expired",
                OnTimeout.Escalate => "fallback asked for as long again, then expired",
                _ => "expired",
            }}\"])");
            from = $"{name}Gate";
        }

        foreach (var (index, step) in steps.Index())
        {
            var yes = approval is not null && index == 0 ? "|yes|" : "";
            var action = step.Do == BuiltInSteps.Person ? "by hand" : step.Do;
            Line($"{from} -->{yes} {name}{index}[\"{Quoted(step.Name)}: {Quoted(action)}\"]");
            from = $"{name}{index}";
        }

        return from;
    }

    private string Verification(string from, Mitigation mitigation)
    {
        if (mitigation.Verify is not { } verify || mitigation.Steps.Count == 0)
        {
            return from;
        }

        Line($"{from} --> verify{{\"{Quoted(string.Join(", ", verify.Checks))} passing within {DurationText.Format(verify.Within)}?\"}}");
        Line("verify -->|no| failed([\"undone where it can be, failed\"])");
        return "verify";
    }

    private string Lease(string from, Hold? lease)
    {
        if (lease is null)
        {
            return from;
        }

        Line($"{from} -->|yes| lease{{\"{Quoted(string.Join(", ", lease.Checks))} passing for {DurationText.Format(lease.StableFor)}?\"}}");
        Line($"lease -.->|not within {DurationText.Format(lease.AtMost)}| paged[\"a person is paged, it stays\"]");
        Line("lease -->|yes| takenBack[\"mitigation taken back\"]");
        return "takenBack";
    }

    private void Line(string line) => _lines.Append("  ").Append(line).Append('\n');

    /// <summary>Inside quotes Mermaid takes everything but quotes. It would read angle brackets as HTML.</summary>
    private static string Quoted(string text) => text
        .Replace("\"", "#quot;", StringComparison.Ordinal)
        .Replace("<", "#lt;", StringComparison.Ordinal)
        .Replace(">", "#gt;", StringComparison.Ordinal);
}
