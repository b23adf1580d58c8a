using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using RunbookServer.Commands;
using RunbookServer.Tests.EndToEnd;
using TestKit;
using YamlDotNet.RepresentationModel;

namespace RunbookServer.Tests.Reporting;

/// <summary><c>schemas/</c> is written out of the code: <c>UPDATE_DOCS=1</c> writes it anew.</summary>
public sealed class SchemaTests
{
    private static readonly string s_root = RepositoryRoot.Path;

    public static TheoryData<string> Kinds => [.. SchemaCommand.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task SchemaOfTheRepository_IsWhatTheCommandPrints(string kind)
    {
        var (code, output, _) = await ProgramRun.RunAsync("schema", kind);

        code.ShouldBe(0);
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(FileOf(kind), output, TestContext.Current.CancellationToken);
        }

        (await File.ReadAllTextAsync(FileOf(kind), TestContext.Current.CancellationToken)).ShouldBe(output, $"schemas/{kind}.schema.json is not what the code says. Run the tests with UPDATE_DOCS=1.");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Schema_IsOneByTheMetaSchema(string kind)
    {
        var json = JsonDocument.Parse(await File.ReadAllTextAsync(FileOf(kind), TestContext.Current.CancellationToken)).RootElement;

        MetaSchemas.Draft202012.Evaluate(json, s_list).ShouldHold();
    }

    [Fact]
    public void ShippedFiles_HoldWithTheSchemasTheyName()
    {
        List<string> files =
        [
            .. Directory.GetFiles(Path.Combine(s_root, "runbooks"), "*.yaml", SearchOption.AllDirectories),
            Path.Combine(s_root, "contacts.sample.yaml"),
        ];
        files.Count.ShouldBeGreaterThan(90);

        foreach (var file in files)
        {
            var first = File.ReadLines(file).First();
            first.ShouldStartWith("# yaml-language-server: $schema=", customMessage: file);
            var schema = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, first.Split('=')[1]));
            Read(schema).Evaluate(JsonSerializer.SerializeToElement(ToJson(file)), s_list).ShouldHold(file);
        }
    }

    [Theory]
    [InlineData("test", "source: alertmanager\nexpect: { state: resolvd }\n")]
    [InlineData("test", "source: alertmanager\nexpect: { state: resolved }\nevents: [{ after: 1m, approve: ada, reject: ada }]\n")]
    [InlineData("test", "source: alertmanager\nexpect: { state: resolved }\nevents: [{ after: 1m, resolved: false }]\n")]
    [InlineData("contacts", "people: { ada: { reach: [{ email: a@b.example, slack: U1 }] } }\ncontacts: { fallback: ada }\n")]
    [InlineData("contacts", "people: { ada: { reach: [{ teams: 'https://example.com' }] } }\ncontacts: { fallback: ada }\n")]
    [InlineData("windows", "windows: [{ name: patching, start: 2026-11-01T02:00:00, duration: soon }]\n")]
    [InlineData("team", "name: ml\nowner: lead\npeople: { ada: {} }\n")]
    [InlineData("team", "name: tEam\nowner: lead\n")]
    [InlineData("team-contacts", "people: { ada: { reach: [{ email: a@b.example }] } }\n")]
    [InlineData("runbook", "id: Wrong\n")]
    public void WrongFile_IsUnderlined(string kind, string text) =>
        Read(FileOf(kind)).Evaluate(JsonSerializer.SerializeToElement(Parse(new StringReader(text))), s_list).IsValid.ShouldBeFalse();

    /// <summary>As whoever comes from another tool writes it; the file is refused, so the editor has to say it too.</summary>
    [Theory]
    [InlineData("20m", true)]
    [InlineData("0", true)]
    [InlineData("'{{ settings.patience }}'", true)]
    [InlineData("20", false)]
    [InlineData("'20'", false)]
    [InlineData("1.5", false)]
    public void BareNumber_IsNoDuration(string duration, bool valid) => Read(FileOf("runbook")).Evaluate(
        JsonSerializer.SerializeToElement(Parse(new StringReader($$"""
            id: a
            title: A
            trigger: [{ alert: A }]
            target: t
            impact: { severity: low, users: Nobody. }
            resolution: { steps: { tell: { do: note, with: { text: A }, timeout: {{duration}} } } }
            """))), s_list).IsValid.ShouldBe(valid);

    private static readonly EvaluationOptions s_list = new() { OutputFormat = OutputFormat.List };

    private static readonly Dictionary<string, JsonSchema> s_read = [];

    private static JsonSchema Read(string file)
    {
        lock (s_read)
        {
            return s_read.TryGetValue(file, out var known) ? known : s_read[file] = JsonSchema.FromText(File.ReadAllText(file));
        }
    }

    private static string FileOf(string kind) => Path.Combine(s_root, "schemas", $"{kind}.schema.json");

    private static JsonNode? ToJson(string file)
    {
        using var reader = new StreamReader(file);
        return Parse(reader);
    }

    private static JsonNode? Parse(TextReader reader)
    {
        var yaml = new YamlStream();
        yaml.Load(reader);
        return ToJson(yaml.Documents[0].RootNode);
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, ToJson(pair.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Select(ToJson)]),
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: "true" or "false" } flag => flag.Value == "true",
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain } plain when double.TryParse(plain.Value, out var number) => number,
        var other => ((YamlScalarNode)other).Value,
    };
}

internal static class EvaluationAssertions
{
    public static void ShouldHold(this EvaluationResults results, string? file = null) =>
        results.IsValid.ShouldBeTrue($"{file}: {string.Join("; ", (results.Details ?? []).Where(one => one.Errors is not null).Select(one => $"{one.InstanceLocation} {string.Join(", ", one.Errors!.Values)}"))}");
}
