using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Runbooks.Intake.Parsing;

namespace Runbooks.Tests.Intake.Parsing;

/// <summary>The case folders: <c>cases/{source}/{name}/alert.json</c> as a sender posts it, and what has to come of it.</summary>
internal static class AlertCases
{
    private static readonly string s_root = Path.Combine(AppContext.BaseDirectory, "Intake", "Parsing", "cases");

    private static readonly JsonSerializerOptions s_readable = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static IEnumerable<string> Names =>
        Directory.EnumerateFiles(s_root, "alert.json", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(s_root, Path.GetDirectoryName(file)!).Replace('\\', '/'))
            .Order(StringComparer.Ordinal);

    public static string SourceOf(string name) => name.Split('/')[0];

    public static byte[] Body(string name) => File.ReadAllBytes(Path.Combine(s_root, name, "alert.json"));

    public static string Text(string name) => File.ReadAllText(Path.Combine(s_root, name, "alert.json"));

    public static string Expected(string name) => File.ReadAllText(Path.Combine(s_root, name, "expected.json")).TrimEnd();

    /// <summary>The alerts as they are; errors as the sender reads them.</summary>
    public static string Show(ParsedAlerts parsed) =>
        JsonSerializer.Serialize(new { parsed.Alerts, Errors = parsed.Errors.Select(error => error.ToString()), Warnings = parsed.Warnings.Count == 0 ? null : parsed.Warnings.Select(warning => warning.ToString()) }, s_readable);
}
