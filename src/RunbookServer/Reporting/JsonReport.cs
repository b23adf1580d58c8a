using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Catalog.Problems;

namespace RunbookServer.Reporting;

/// <summary>Everything that is known, for scripts.</summary>
internal static class JsonReport
{
    /// <summary>Names of people and of things stay readable; nobody puts this into a page as it is.</summary>
    public static readonly JsonSerializerOptions Options = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
