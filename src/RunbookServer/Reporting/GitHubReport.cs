using System.Globalization;
using Runbooks.Catalog.Problems;

namespace RunbookServer.Reporting;

/// <summary>Workflow commands that GitHub Actions shows beside the lines of a pull request.</summary>
/// <seealso href="https://docs.github.com/actions/reference/workflow-commands-for-github-actions"/>
internal static class GitHubReport
{
    public static string Write(Report report) =>
        string.Join("\n", report.Cases.SelectMany(one => one.Problems.Select(problem => OfProblem(report, one, problem))));

    private static string OfProblem(Report report, ReportedCase one, CatalogError problem)
    {
        var title = problem.Code ?? (report.Command == "test" ? one.Name : problem.Key);
        return string.Create(CultureInfo.InvariantCulture, $"::{(report.IsFailure(problem) ? "error" : "warning")} file={Property(problem.File)},line={problem.Line},col={problem.Column}")
            + $"{(title.Length > 0 ? $",title={Property(title)}" : "")}::{Message($"{problem.Key} {problem.Problem} {problem.Remedy}".Trim())}";
    }

    /// <summary>As the runner's own toolkit escapes it.</summary>
    private static string Message(string text) =>
        text.Replace("%", "%25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    private static string Property(string text) => Message(text).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);
}
