using System.Text.Json.Nodes;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Schema;
using Runbooks.Catalog.Yaml;

namespace Runbooks.Catalog.Tests;

public sealed class RunbookSchemaTests
{
    private static readonly string s_valid = Path.Combine(AppContext.BaseDirectory, "cases", "valid");

    private readonly JsonObject _schema = new RunbookSchema(SampleSteps.Catalog()).Create();

    /// <summary>An unknown key in every mapping of a file that uses every key makes the reader list the keys it knows.</summary>
    [Fact]
    public void KeysOfTheSchema_AreTheKeysOfTheReader()
    {
        var text = File.ReadAllText(Path.Combine(s_valid, "every-key", "runbook.yaml"));
        var tree = (YamlMapping)YamlTree.Read(text, (_, problem, _) => throw new InvalidOperationException(problem), (_, _, _, _) => { })!;
        var reader = new RunbookReader(SampleSteps.Catalog());
        var sections = new Dictionary<string, JsonNode>
        {
            [""] = _schema,
            ["trigger[0]"] = _schema["properties"]!["trigger"]!["items"]!,
            ["suppressedBy"] = _schema["properties"]!["suppressedBy"]!,
            ["impact"] = _schema["properties"]!["impact"]!,
            ["diagnosis.memory"] = _schema["$defs"]!["check"]!,
            ["mitigation"] = _schema["properties"]!["mitigation"]!,
            ["mitigation.when"] = _schema["properties"]!["mitigation"]!["properties"]!["when"]!,
            ["mitigation.approval"] = _schema["$defs"]!["approval"]!,
            ["mitigation.approval.escalate[0]"] = _schema["$defs"]!["approval"]!["properties"]!["escalate"]!["items"]!,
            ["mitigation.steps.flag"] = _schema["$defs"]!["step"]!,
            ["mitigation.steps.flag.retry"] = _schema["$defs"]!["step"]!["properties"]!["retry"]!,
            ["mitigation.verify"] = _schema["properties"]!["mitigation"]!["properties"]!["verify"]!,
            ["mitigation.holdUntil"] = _schema["properties"]!["mitigation"]!["properties"]!["holdUntil"]!,
            ["resolution"] = _schema["properties"]!["resolution"]!,
            ["limits"] = _schema["properties"]!["limits"]!,
        };

        foreach (var (path, schema) in sections)
        {
            var json = WithReader.ToJson(tree);
            At(json, path)["zzz"] = 1;
            // JSON is YAML.
            var error = reader.Read("f", json.ToJsonString()).Errors.Single(candidate => candidate.Key == FileErrors.Join(path, "zzz"));

            var known = error.Remedy[(error.Remedy.IndexOf(": ", StringComparison.Ordinal) + 2)..].TrimEnd('.').Split(", ");
            schema["properties"]!.AsObject().Select(pair => pair.Key).ShouldBe(known, ignoreOrder: true, customMessage: path);
            schema["additionalProperties"]!.GetValue<bool>().ShouldBeFalse(path);
        }
    }

    [Fact]
    public void Parameters_FollowFromTheNameOfTheCheck()
    {
        var rule = _schema["$defs"]!["check"]!["allOf"]!.AsArray().Single(candidate => candidate!["if"]!["properties"]!["check"]!["const"]!.GetValue<string>() == "prometheus.query")!;

        var with = rule["then"]!["properties"]!["with"]!;
        with["required"]!.AsArray().Select(name => name!.GetValue<string>()).ShouldBe(["query", "failing"]);
        with["properties"]!.AsObject().Select(pair => pair.Key).ShouldBe(["query", "failing", "unit", "endpoint"]);
    }

    [Fact]
    public void SettingOfTheHost_MayStandForANumberAFlagAWordAndADuration()
    {
        var approval = _schema["$defs"]!["approval"]!["properties"]!;

        approval["required"]!.ToJsonString().ShouldContain("\"type\":[\"integer\",\"string\"]");
        foreach (var key in (string[])["required", "separationOfDuties", "timeout", "onTimeout"])
        {
            approval[key]!.ToJsonString().ShouldContain("""\\{\\{""", customMessage: key);
        }
    }

    [Fact]
    public void NamesOfChecksAndActions_AreTheRegisteredOnes()
    {
        Names("check", "check").ShouldBe(["always", "kubernetes.pod", "prometheus.query", "vllm.health"]);
        Names("step", "do").ShouldBe(["api.call", "edge.block", "flags.set", "keys.rotate", "kubernetes.recyclePod", "note", "person"]);
    }

    private IEnumerable<string> Names(string definition, string key) =>
        _schema["$defs"]![definition]!["properties"]![key]!["enum"]!.AsArray().Select(name => name!.GetValue<string>());

    private static JsonObject At(JsonNode node, string path) => path
        .Replace("[0]", ".0", StringComparison.Ordinal)
        .Split('.', StringSplitOptions.RemoveEmptyEntries)
        .Aggregate(node, (current, key) => current is JsonArray list ? list[int.Parse(key, null)]! : current[key]!)
        .AsObject();
}
