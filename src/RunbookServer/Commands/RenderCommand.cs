using System.Text;
using Runbooks.Catalog.Parameters;
using Runbooks.Web.Pages;

namespace RunbookServer.Commands;

/// <summary><c>runbook render RUNBOOK</c>: the runbook as Markdown with a Mermaid diagram.</summary>
internal static class RenderCommand
{
    public static Command Build()
    {
        var runbook = new RunbookArgument();
        var command = new Command("render", "Prints a runbook as Markdown with a Mermaid diagram.");
        runbook.AddTo(command);
        command.SetAction(parsed =>
        {
            using var services = OfflineServices.Build(host: runbook.Settings.Of(parsed));
            var markdown = new RunbookMarkdown(
                runbook.Load(parsed, services.GetRequiredService<RunbookCatalog>()), services.GetRequiredService<StepCatalog>());
            ConsoleOutput.Raw(markdown.Write().TrimEnd());
            return ExitCode.Done;
        });
        return command;
    }
}

internal sealed class RunbookMarkdown(Runbook runbook, StepCatalog steps)
{
    private readonly StringBuilder _page = new();

    public string Write()
    {
        Line($"# {runbook.Title}\n");
        if (runbook.Summary.Length > 0)
        {
            Line($"{Text(runbook.Summary)}\n");
        }

        Line("| | |\n|---|---|");
        Row("runbook", Code(runbook.Id));
        if (runbook.Team.Length > 0)
        {
            Row("team", Code(runbook.Team));
        }

        Row("owner", runbook.Owner.Length > 0 ? Text(runbook.Owner) : "nobody");
        Row("severity", CamelCase.Of(runbook.Impact.Severity));
        Row("one incident for each", Code(runbook.Target));
        Row("mode", runbook.Mode switch
        {
            RunMode.DryRun => "dry run: touches nothing",
            RunMode.ApproveAll => "every phase that acts asks first",
            _ => "as written",
        });
        if (runbook.ReportTo.Count > 0)
        {
            Row("report to", Text(string.Join(", ", runbook.ReportTo)));
        }

        if (runbook.SuppressedBy is { } covered)
        {
            Row("covered by", $"{Code(covered.Runbook)} on {Code(covered.Target)}, for at most {DurationText.Format(covered.AtMost)}");
        }

        Line($"\n```mermaid\n{RunbookDiagram.Draw(runbook)}```\n");
        Section("Trigger", runbook.Trigger.Select(Trigger));
        Section("Impact", Impact());
        Section("Diagnosis", [.. runbook.Diagnosis.SelectMany(Check), .. Watched()]);
        // Then the alert calls for the resolution, and it may have asked nobody.
        var isResolutionAlone = runbook.Mitigation.Steps.Count == 0;
        var isAskedThere = isResolutionAlone && runbook.Mitigation.Approval is null;
        Section("Mitigation",
        [
            .. isResolutionAlone ? [] : Called(),
            .. Relied(),
            .. isAskedThere ? [] : Asked(Phase.Mitigation),
            .. Steps(Phase.Mitigation),
            .. Verified(),
            .. Held(),
        ]);
        Section("Resolution",
        [
            .. isResolutionAlone ? Called() : [],
            .. isAskedThere || runbook.Resolution.Approval is not null ? Asked(Phase.Resolution) : [],
            .. Steps(Phase.Resolution),
        ]);
        Section("Limits", Limits());
        return _page.ToString().TrimEnd() + "\n";
    }

    private IReadOnlyList<string> Impact() => Lines.Of(
        $"- **Users**: {Text(runbook.Impact.Users)}",
        runbook.Impact.Data.Length > 0 ? $"- **Data**: {Text(runbook.Impact.Data)}" : null);

    private static string Trigger(Trigger trigger)
    {
        var labels = trigger.Labels.Select(label => Code($"{label.Key}={label.Value}"));
        return $"- {Code(trigger.Alert)}"
            + (trigger.Source is { } source ? $" from {source}" : "")
            + (trigger.Severity.Count > 0 ? $", severity {string.Join(" or ", trigger.Severity)}" : "")
            + (trigger.Labels.Count > 0 ? $", with {string.Join(", ", labels)}" : "");
    }

    private IEnumerable<string> Check(CheckSpec check) =>
    [
        $"- **{check.Name}**: {Text(check.Ask)} {Code(check.Check)}, at most {DurationText.Format(check.Timeout)}",
        .. Parameters(check.With, steps.FindCheck(check.Check)!.ParametersType),
    ];

    private IEnumerable<string> Called()
    {
        if (runbook.Diagnosis.Count > 0)
        {
            var when = runbook.Mitigation.When;
            var quantifier = when.Quantifier == Quantifier.All ? "all" : "any";
            yield return when.Checks.Count == 0
                ? "- Called for when any check fails."
                : $"- Called for when {quantifier} of {string.Join(", ", when.Checks)} fails.";
        }
    }

    private string[] Relied() => runbook.Mitigation.Reliance is { } needs ? [$"- {needs}"] : [];

    private IReadOnlyList<string> Asked(Phase phase) => runbook.ApprovalOf(phase) is { } approval
        ? Asked(approval)
        : Unasked([.. runbook.CoveredBy(phase).Select(covered => covered.Step)]);

    private static IReadOnlyList<string> Asked(Approval approval) =>
    [
        $"- Asks {string.Join(", ", approval.From)}: {Text(approval.Ask)}",
        Needed(approval),
        .. Lines.Of(approval.RemindAfter is { } remind ? $"  - Asks again after {DurationText.Format(remind)}." : null),
        .. approval.Escalate.Select(escalation =>
            $"  - After {DurationText.Format(escalation.After)} asks {string.Join(", ", escalation.To)} as well."),
        $"  - After {DurationText.Format(approval.Timeout)} without a decision: {approval.OnTimeout switch
        {
            OnTimeout.ProceedIfReversible => "the steps run, unless a warning stood on the question; then nothing does",
            OnTimeout.Escalate => "the fallback contact is asked for as long again; then nothing runs",
            _ => "nothing runs",
        }}.",
    ];

    private static string Needed(Approval approval)
    {
        var people = approval.Required == 1 ? "One person has" : $"{approval.Required} people have";
        var owner = approval.OwnerRequired ? ", one of them from the owner" : "";
        var duties = approval.SeparationOfDuties ? "; not only whoever started it by hand" : "";
        return $"  - {people} to say yes{owner}{duties}.";
    }

    private string[] Unasked(IReadOnlyList<StepSpec> covered) =>
        covered.Count == 0 ? [] : [$"- {RunbookModel.WithoutActing(steps, covered) ?? "Acts without asking, and tells afterwards."}"];

    private IEnumerable<string> Steps(Phase phase) =>
        runbook.StepsOf(phase).Index().SelectMany(item => Step(phase, item.Index, item.Item));

    private IEnumerable<string> Step(Phase phase, int index, StepSpec step)
    {
        if (step.Do == BuiltInSteps.Person)
        {
            return [$"- Step {index + 1}, **{step.Name}**: by hand", .. ManualAction.LinesOf(step).Select(line => $"  - {Text(line)}")];
        }

        var action = steps.FindAction(step.Do)!;
        var attempts = action.Repeatable && step.Retry.Attempts > 1 ? $", {step.Retry.Attempts} attempts" : "";
        return
        [
            $"- Step {index + 1}, **{step.Name}**: {Code(step.Do)}, at most {DurationText.Format(step.Timeout)}{attempts}",
            .. Parameters(step.With, action.ParametersType),
            .. action.TellsOnly ? [] : Undo(phase, action.ReversalOf(step.With)),
        ];
    }

    /// <summary>A fix of the cause is never taken back, so only that it cannot be undone is worth a line.</summary>
    private static string[] Undo(Phase phase, Reversal reversal) => (phase, reversal) switch
    {
        (_, Reversal.None) => ["  - Cannot be undone."],
        (Phase.Resolution, _) => [],
        (_, Reversal.Kept) => ["  - Left as it is: a person takes it back."],
        _ => ["  - Can be undone."],
    };

    private static IEnumerable<string> Parameters(JsonElement with, Type type) => ParameterMask.Mask(with, type)
        .SelectMany(parameter => Parameter(parameter.Key, RunbookModel.ValueText(parameter.Value)));

    /// <summary>A query of several lines keeps them: in one line, a comment in it would cut off the rest.</summary>
    private static IEnumerable<string> Parameter(string name, string value)
    {
        if (value.TrimEnd().ReplaceLineEndings("\n").Split('\n') is not { Length: > 1 } lines)
        {
            return [$"  - {name}: {Code(value)}"];
        }

        var fence = new string('`', Math.Max(3, lines.Max(line => line.Count(character => character == '`')) + 1));
        return [$"  - {name}:", "", $"    {fence}text", .. lines.Select(line => $"    {line}"), $"    {fence}", ""];
    }

    private IEnumerable<string> Watched() => runbook.Diagnosis.Count == 0 || runbook.Limits.HealthyFor == TimeSpan.Zero ? [] :
        [$"- Ends as not needed once they have seen nothing to do for {DurationText.Format(runbook.Limits.HealthyFor)}, "
            + "or when the sender says so too."];

    private IEnumerable<string> Verified()
    {
        if (runbook.Mitigation.Verify is { } verify)
        {
            var times = verify.SuccessThreshold > 1 ? $" {verify.SuccessThreshold} times in a row" : "";
            yield return $"- Then asks {string.Join(", ", verify.Checks)} every {DurationText.Format(verify.Every)}; "
                + $"what does not pass{times} within {DurationText.Format(verify.Within)} is undone where it can be.";
        }
    }

    private IEnumerable<string> Held() => runbook.Mitigation.HoldUntil is not { } lease ? [] :
    [
        $"- Stays in place until {string.Join(", ", lease.Checks)} {CountText.Have(lease.Checks.Count)} passed "
            + $"for {DurationText.Format(lease.StableFor)}, asked every {DurationText.Format(lease.Every)}, and is then taken back.",
        $"- Pages a person when that has not happened after {DurationText.Format(lease.AtMost)}.",
    ];

    private IReadOnlyList<string> Limits()
    {
        var limits = runbook.Limits;
        var per = DurationText.Format(limits.Per);
        var coolDown = limits.CoolDown;
        var settles = runbook.SettlesFor;
        var lines = Lines.Of(
            limits.MaxRuns is { } runs ? $"- At most {CountText.Format(runs, "run")} on one target within {per}." : null,
            limits.MaxTargets is { } targets ? $"- At most {CountText.Format(targets, "target")} within {per}." : null,
            coolDown > TimeSpan.Zero ? $"- {DurationText.Format(coolDown)} between two runs on one target." : null,
            settles > TimeSpan.Zero ? $"- Alerts within {DurationText.Format(settles)} after a verified fix belong to it." : null);
        return lines.Count == 0 ? [] : [.. lines, $"- Beyond them {BeyondLimits()}."];
    }

    private string BeyondLimits()
    {
        if (!steps.ChangeSomething(runbook.AllSteps().Select(planned => planned.Step)))
        {
            return "nobody is told again";
        }

        return runbook.Limits.WhenExceeded == WhenExceeded.Forbid ? "nothing runs, whoever says yes" : "a person is asked";
    }

    private void Section(string title, IEnumerable<string> lines)
    {
        var list = lines.ToList();
        if (list.Count > 0)
        {
            Line($"## {title}\n\n{string.Join("\n", list)}\n");
        }
    }

    private void Row(string name, string value) => Line($"| {name} | {value.Replace("|", "\\|", StringComparison.Ordinal)} |");

    private void Line(string line) => _page.Append(line).Append('\n');

    private static string Text(string text) => MarkdownText.Escape(text);

    private static string Code(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Contains('`', StringComparison.Ordinal) ? $"`` {line} ``" : $"`{line}`";
    }
}
