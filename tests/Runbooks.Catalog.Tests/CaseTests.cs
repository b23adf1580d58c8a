using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Runbooks.Catalog.Reading;
using Runbooks.Model.Definition;

namespace Runbooks.Catalog.Tests;

/// <summary>
/// Golden cases: each folder holds a runbook and what reading it gives. After a change that is meant, set UPDATE_CASES to
/// the folder <c>tests/Runbooks.Catalog.Tests/cases</c>, run them, and read the difference.
/// </summary>
public sealed class CaseTests
{
    private static readonly string s_cases = Path.Combine(AppContext.BaseDirectory, "cases");

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static TheoryData<string> Valid => Folders("valid");

    public static TheoryData<string> Invalid => Folders("invalid");

    [Theory, MemberData(nameof(Valid))]
    public void ValidFile_GivesTheModel(string name)
    {
        var result = Read("valid", name);

        result.Errors.ShouldBeEmpty();
        ShouldMatch(Path.Combine("valid", name, "expected.json"), JsonSerializer.Serialize(result.Runbook! with { Hash = "" }, s_json) + "\n");
    }

    /// <summary>An incident is pinned to its runbook through storage.</summary>
    [Theory, MemberData(nameof(Valid))]
    public void Model_SurvivesSerialization(string name)
    {
        var json = JsonSerializer.Serialize(Read("valid", name).Runbook, s_json);

        JsonSerializer.Serialize(JsonSerializer.Deserialize<Runbook>(json, s_json), s_json).ShouldBe(json);
    }

    [Theory, MemberData(nameof(Invalid))]
    public void InvalidFile_GivesEveryError(string name)
    {
        var result = Read("invalid", name);

        result.Runbook.ShouldBeNull();
        ShouldMatch(Path.Combine("invalid", name, "expected.txt"), string.Concat(result.Errors.Select(error => error + "\n")));
    }

    private static ReadResult Read(string kind, string name) =>
        new RunbookReader(SampleSteps.Catalog()).Read("runbook.yaml", File.ReadAllText(Path.Combine(s_cases, kind, name, "runbook.yaml")));

    private static void ShouldMatch(string path, string actual)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_CASES") is { Length: > 0 } source)
        {
            File.WriteAllText(Path.Combine(source, path), actual);
            return;
        }

        actual.ShouldBe(File.ReadAllText(Path.Combine(s_cases, path)));
    }

    private static TheoryData<string> Folders(string kind) =>
        [.. Directory.GetDirectories(Path.Combine(s_cases, kind)).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];
}
