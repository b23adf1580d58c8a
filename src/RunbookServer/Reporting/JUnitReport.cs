using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Runbooks.Model.Text;

namespace RunbookServer.Reporting;

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
            failures.Count == 0 ? null : new XElement("failure", new XAttribute("message", Valid(CountText.Format(failures.Count, "problem"))), Valid(string.Join("\n", failures))),
            warnings.Count == 0 ? null : new XElement("system-out", Valid(string.Join("\n", warnings))));
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>XML has no way to write most control characters.</summary>
    private static string Valid(string text) => string.Concat(text.Select(character => XmlConvert.IsXmlChar(character) ? character : ' '));
}
