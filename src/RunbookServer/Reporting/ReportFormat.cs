using System.CommandLine;
using RunbookServer.Terminal;

namespace RunbookServer.Reporting;

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
