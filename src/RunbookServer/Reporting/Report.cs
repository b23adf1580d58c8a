using System.Text.Encodings.Web;
using System.Xml;
using System.Xml.Linq;
using Runbooks.Catalog.Problems;

namespace RunbookServer.Reporting;

/// <param name="Command"><c>validate</c> or <c>test</c>.</param>
internal sealed record Report(string Command, bool IsStrict, IReadOnlyList<ReportedCase> Cases)
{
    public bool HasFailed => Cases.Any(HasFailedIn);

    public bool HasFailedIn(ReportedCase checkedCase) => checkedCase.Problems.Any(IsFailure);

    public bool IsFailure(CatalogError problem) => IsStrict || problem.Code is null;
}

/// <param name="File">Relative to where the command was called.</param>
/// <param name="Problems">Errors, and warnings, which have a code.</param>
internal sealed record ReportedCase(string Name, string File, IReadOnlyList<CatalogError> Problems)
{
    public string? Text { get; init; }

    public TimeSpan Took { get; init; }
}

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
        Description = "How the result is written: text for a person; json; github for annotations in GitHub Actions; "
            + "sarif 2.1.0 for code scanning; junit for test reports.";
        DefaultValueFactory = _ => Text;
        this.AcceptOnlyFromAmong([Text, .. s_formats.Keys]);
    }

    /// <returns>False for text, which the command writes itself.</returns>
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

internal static class JsonReport
{
    /// <summary>Names of people and things stay readable. The JSON is not put into a page as it is.</summary>
    public static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Write(Report report) => new JsonObject
    {
        ["command"] = report.Command,
        ["passed"] = !report.HasFailed,
        ["cases"] = new JsonArray([.. report.Cases.Select(one => new JsonObject
        {
            ["name"] = one.Name,
            ["file"] = one.File,
            ["passed"] = !report.HasFailedIn(one),
            ["problems"] = new JsonArray([.. one.Problems.Select(OfProblem)]),
        })]),
    }.ToJsonString(Options);

    private static JsonObject OfProblem(CatalogError problem)
    {
        var json = new JsonObject
        {
            ["severity"] = problem.Code is null ? "error" : "warning",
            ["file"] = problem.File,
            ["line"] = problem.Line,
            ["column"] = problem.Column,
            ["key"] = problem.Key,
            ["problem"] = problem.Problem,
            ["remedy"] = problem.Remedy,
        };
        if (problem.Code is not null)
        {
            json["code"] = problem.Code;
        }

        return json;
    }
}

/// <summary>Workflow commands that GitHub Actions shows beside the lines of a pull request.</summary>
/// <seealso href="https://docs.github.com/actions/reference/workflow-commands-for-github-actions"/>
internal static class GitHubReport
{
    public static string Write(Report report) =>
        string.Join("\n", report.Cases.SelectMany(one => one.Problems.Select(problem => OfProblem(report, one, problem))));

    private static string OfProblem(Report report, ReportedCase one, CatalogError problem)
    {
        var title = problem.Code ?? (report.Command == "test" ? one.Name : problem.Key);
        return $"::{(report.IsFailure(problem) ? "error" : "warning")} file={Property(problem.File)},line={problem.Line},col={problem.Column}"
            + $"{(title.Length > 0 ? $",title={Property(title)}" : "")}::{Message($"{problem.Key} {problem.Problem} {problem.Remedy}".Trim())}";
    }

    /// <summary>As the runner's own toolkit escapes it.</summary>
    private static string Message(string text) =>
        text.Replace("%", "%25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    private static string Property(string text) =>
        Message(text).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);
}

/// <summary>JUnit's XML as Jenkins, Azure Pipelines and GitLab read it: each file or test is a test case.</summary>
internal static class JUnitReport
{
    public static string Write(Report report)
    {
        var failed = report.Cases.Count(report.HasFailedIn);
        var suite = new XElement(
            "testsuite",
            new XAttribute("name", $"runbook {report.Command}"),
            new XAttribute("tests", report.Cases.Count),
            new XAttribute("failures", failed),
            new XAttribute("errors", 0),
            new XAttribute("skipped", 0),
            new XAttribute("time", Seconds(report.Cases.Aggregate(TimeSpan.Zero, (sum, one) => sum + one.Took))),
            report.Cases.Select(one => OfCase(report, one)));
        return $"""<?xml version="1.0" encoding="utf-8"?>{"\n"}{new XElement("testsuites", suite)}""";
    }

    private static XElement OfCase(Report report, ReportedCase one)
    {
        var failures = one.Problems.Where(report.IsFailure).ToList();
        var warnings = one.Problems.Except(failures).ToList();
        return new(
            "testcase",
            new XAttribute("classname", Valid($"runbook.{report.Command}")),
            new XAttribute("name", Valid(one.Name)),
            new XAttribute("file", Valid(one.File)),
            new XAttribute("time", Seconds(one.Took)),
            failures.Count == 0 ? null : Failure(failures),
            warnings.Count == 0 ? null : new XElement("system-out", Valid(string.Join("\n", warnings))));
    }

    private static XElement Failure(List<CatalogError> failures) => new(
        "failure", new XAttribute("message", Valid(CountText.Format(failures.Count, "problem"))), Valid(string.Join("\n", failures)));

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>XML has no way to write most control characters.</summary>
    private static string Valid(string text) =>
        string.Concat(text.Select(character => XmlConvert.IsXmlChar(character) ? character : ' '));
}

/// <summary>SARIF 2.1.0, which code scanning of GitHub, Azure DevOps and editors read.</summary>
/// <seealso href="https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"/>
internal static class SarifReport
{
    private const string Invalid = "invalid-runbook";
    private const string FailedTest = "failed-test";

    public static string Write(Report report)
    {
        var rules = new Dictionary<string, string>(WarningCodes.All, StringComparer.Ordinal)
        {
            [Invalid] = "The file is not a valid runbook, contacts or windows file.",
            [FailedTest] = "A test of a runbook has failed.",
        };
        var ids = rules.Keys.ToList();
        return new JsonObject
        {
            ["$schema"] = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            ["version"] = "2.1.0",
            ["runs"] = new JsonArray(new JsonObject
            {
                ["tool"] = new JsonObject
                {
                    ["driver"] = new JsonObject
                    {
                        ["name"] = "runbook",
                        ["semanticVersion"] = typeof(SarifReport).Assembly.GetName().Version!.ToString(3),
                        ["rules"] = new JsonArray([.. rules.Select(rule => new JsonObject
                        {
                            ["id"] = rule.Key,
                            ["shortDescription"] = Text(rule.Value),
                            ["help"] = Text(Help(rule.Key)),
                        })]),
                    },
                },
                ["columnKind"] = "utf16CodeUnits",
                ["results"] = new JsonArray([.. report.Cases.SelectMany(file =>
                    file.Problems.Select(problem => OfProblem(report, file, problem, ids)))]),
            }),
        }.ToJsonString(JsonReport.Options);
    }

    private static string Help(string rule) => rule switch
    {
        Invalid => "docs/runbook-format.md",
        FailedTest => "docs/runbook-tests.md",
        _ => $"docs/warnings.md#{rule}",
    };

    private static JsonObject OfProblem(Report report, ReportedCase one, CatalogError problem, List<string> ids)
    {
        var rule = problem.Code ?? (report.Command == "test" ? FailedTest : Invalid);
        var about = report.Command == "test" ? $"{one.Name}: " : "";
        return new()
        {
            ["ruleId"] = rule,
            ["ruleIndex"] = ids.IndexOf(rule),
            ["level"] = report.IsFailure(problem) ? "error" : "warning",
            ["message"] = Text($"{about}{problem.Key} {problem.Problem} {problem.Remedy}".Trim()),
            ["locations"] = new JsonArray(new JsonObject
            {
                ["physicalLocation"] = new JsonObject
                {
                    ["artifactLocation"] = new JsonObject { ["uri"] = Uri(problem.File) },
                    ["region"] = new JsonObject { ["startLine"] = problem.Line, ["startColumn"] = problem.Column },
                },
            }),
        };
    }

    private static JsonObject Text(string text) => new() { ["text"] = text };

    private static string Uri(string file) => Path.IsPathRooted(file)
        ? new Uri(file).AbsoluteUri
        : string.Join('/', file.Split(Path.DirectorySeparatorChar).Select(System.Uri.EscapeDataString));
}
