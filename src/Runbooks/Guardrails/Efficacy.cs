using Runbooks.Model.Text;

namespace Runbooks.Guardrails;

/// <summary>How well a runbook's fixes worked on targets of one kind.</summary>
/// <param name="Class">Everything of the target up to its last slash: <c>inference/llm-b-0</c> is of the class <c>inference/*</c>.</param>
/// <param name="Median">Of the fixes that worked; null when none did.</param>
/// <param name="FailedLast">How many of the latest in a row did not work.</param>
public sealed record Efficacy(string Class, int Runs, int Verified, int Ineffective, int Recurred, TimeSpan? Median, int FailedLast)
{
    public static string ClassOf(string target) => target.LastIndexOf('/') is > 0 and var slash ? $"{target[..slash]}/*" : "*";

    public static Efficacy Of(IReadOnlyList<LedgerRun> all, string targetClass)
    {
        var runs = all.Where(run => ClassOf(run.Target) == targetClass).ToList();
        var took = runs.Where(run => run.Outcome != RunOutcome.Ineffective).Select(run => run.Took).Order().ToList();
        return new(
            targetClass,
            runs.Count,
            runs.Count(run => run.Outcome == RunOutcome.Verified),
            runs.Count(run => run.Outcome == RunOutcome.Ineffective),
            runs.Count(run => run.Outcome == RunOutcome.Recurred),
            took.Count == 0 ? null : took[took.Count / 2],
            runs.AsEnumerable().Reverse().TakeWhile(run => run.Outcome != RunOutcome.Verified).Count());
    }

    public static IReadOnlyList<Efficacy> OfEach(IReadOnlyList<LedgerRun> all) =>
        [.. all.Select(run => ClassOf(run.Target)).Distinct().Order(StringComparer.Ordinal).Select(targetClass => Of(all, targetClass))];

    /// <summary>"Worked 7 of 9 times, median 3m; the last 2 failed."; null when it never ran.</summary>
    public string? Words() => Runs == 0
        ? null
        : $"Worked {Verified} of {Runs} {(Runs == 1 ? "time" : "times")}"
            + (Median is { } median ? $", median {DurationText.Format(TimeSpan.FromSeconds(Math.Max(1, Math.Round(median.TotalSeconds))))}" : "")
            + (Recurred > 0 ? $", came back {Recurred} {(Recurred == 1 ? "time" : "times")}" : "")
            + (FailedLast switch { 0 => ".", 1 => "; the last one failed.", _ => $"; the last {FailedLast} failed." });
}
