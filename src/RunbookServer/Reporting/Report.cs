using System.CommandLine;
using Runbooks.Catalog.Problems;
using RunbookServer.Terminal;

namespace RunbookServer.Reporting;

/// <summary>What a command that checks something has found, for a person or another program.</summary>
/// <param name="Command">As it is called: <c>validate</c> or <c>test</c>.</param>
/// <param name="IsStrict">Whether a warning counts as a failure.</param>
internal sealed record Report(string Command, bool IsStrict, IReadOnlyList<ReportedCase> Cases)
{
    public bool HasFailed => Cases.Any(HasFailedIn);

    public bool HasFailedIn(ReportedCase one) => one.Problems.Any(IsFailure);

    public bool IsFailure(CatalogError problem) => IsStrict || problem.Code is null;
}

/// <summary>One file that was checked, or one test that ran.</summary>
/// <param name="File">Relative to where the command was called.</param>
/// <param name="Problems">Errors, and warnings: those have a code.</param>
internal sealed record ReportedCase(string Name, string File, IReadOnlyList<CatalogError> Problems)
{
    /// <summary>The file's text, where an excerpt can be shown.</summary>
    public string? Text { get; init; }

    public TimeSpan Took { get; init; }
}

/// <summary><c>--format</c>, the same on every command that checks something.</summary>
internal sealed class FormatOption : Option<string>
{
    private const string Text = "text";

    private static readonly Dictionary<string, Func<Report, string>> s_formats = new(StringComparer.Ordinal)
    {
        ["json"] = JsonReport.Write,
        ["github"] = GitHubReport.Write,
        ["sarif"] = SarifReport.Write,
        ["junit"] = JUnitReport.Write,
    };

    public FormatOption()
        : base("--format")
    {
        Description = "How the result is written: text for a person; json; github for annotations in GitHub Actions; sarif 2.1.0 for code scanning; junit for test reports.";
        DefaultValueFactory = _ => Text;
        this.AcceptOnlyFromAmong([Text, .. s_formats.Keys]);
    }

    /// <returns>False where a person reads: that text is the command's own.</returns>
    public bool Write(ParseResult parsed, Report report)
    {
        if (s_formats.GetValueOrDefault(parsed.GetRequiredValue(this)) is not { } format)
        {
            return false;
        }

        if (format(report) is { Length: > 0 } written)
        {
            ConsoleOutput.Raw(written);
        }

        return true;
    }
}
