using System.Reflection;
using Runbooks.Catalog.Problems;

namespace RunbookServer.Reporting;

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
                        ["rules"] = new JsonArray([.. rules.Select(rule => new JsonObject { ["id"] = rule.Key, ["shortDescription"] = Text(rule.Value), ["help"] = Text(Help(rule.Key)) })]),
                    },
                },
                ["columnKind"] = "utf16CodeUnits",
                ["results"] = new JsonArray([.. report.Cases.SelectMany(one => one.Problems.Select(problem => OfProblem(report, one, problem, ids)))]),
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
