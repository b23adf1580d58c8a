using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Templates;
using Runbooks.Catalog.Yaml;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Testing;

/// <summary>Reads <c>test.yaml</c>. Errors have line, column and remedy, as for a runbook.</summary>
internal sealed class TestScriptReader(FileErrors errors)
{
    /// <summary>No record of an incident has a longer text, so every export can be read.</summary>
    private const int Longest = Template.MaxLength;

    /// <summary>No incident lasts longer. A lease may last months.</summary>
    private static readonly TimeSpan s_latest = TimeSpan.FromDays(366);

    public static readonly string[] Verdicts = ["passing", "failing", "unknown"];
    public static readonly string[] Outcomes = ["done", "fails", "blocked", "refused", "nothingDone"];

    public static readonly string[] Undos = ["done", "fails", "left", "handedOn", "asBefore"];
    public static readonly string[] GuardrailAnswers = ["tell", "askFirst", "diagnoseOnly", "suppress", "forbid"];
    public static readonly string[] EventKinds = ["approve", "reject", "takeOver", "done", "couldNot", "cancel", "takeBack"];
    public static readonly IReadOnlyList<string> States = CamelCase.Choices(typeof(IncidentState));
    public static readonly IReadOnlyList<string> Statuses = CamelCase.Choices(typeof(StepStatus));

    public static (TestScript? Script, IReadOnlyList<CatalogError> Errors) Read(string file, string text)
    {
        var (script, errors) = Open(file, text);
        return (script, errors.Sorted);
    }

    /// <returns>The test, null where there are errors; and the position of everything in the file.</returns>
    public static (TestScript? Script, FileErrors Errors) Open(string file, string text)
    {
        var errors = new FileErrors(file, text, "docs/runbook-tests.md");
        var script = YamlSection.Open(errors, "source") is { } root ? new TestScriptReader(errors).Script(root) : null;
        return (errors.Count > 0 ? null : script, errors);
    }

    private TestScript Script(YamlSection root)
    {
        var script = new TestScript
        {
            Source = Word(root, "source", AlertSource.All, required: true),
            Alert = Alert(root),
            By = Optional(root, "by"),
            Proposed = root.Flag("proposed"),
            Mode = root.Has("mode") ? CamelCase.Of(root.Choice("mode", RunMode.Normal)) : Optional(root, "mode"),
            Objections = Mapping(root, "objections", (node, path) => OneOf(node, path, GuardrailAnswers)),
            Checks = Mapping(root, "checks", Answers),
            Steps = Mapping(root, "steps", Step),
            Events = [.. root.Items("events").Select(Event)],
            Expect = Expectation(root),
        };
        root.RejectOthers();
        foreach (var phase in script.Objections.Keys.Except(CamelCase.Choices(typeof(Phase))))
        {
            errors.AtKey($"objections.{phase}", "is no phase.", "Write mitigation or resolution.");
        }

        if (script.ByHand != script.By is not null)
        {
            errors.AtKey(
                script.By is null ? "source" : "by",
                script.By is null ? "is manual, and nobody starts it." : "starts it by hand, and the source is another.",
                $"'by' (the person's name) and 'source: {AlertSource.Manual}' belong together.");
        }

        if (script is { Proposed: true, ByHand: false })
        {
            errors.AtKey(
                "proposed",
                "is for what is started by hand, and the source is another.",
                $"Remove it, or write 'source: {AlertSource.Manual}'.");
        }

        return script;
    }

    private TestAlert Alert(YamlSection root)
    {
        if (root.Node("alert") is not YamlMapping mapping)
        {
            return new() { File = Optional(root, "alert") ?? TestAlert.DefaultFile };
        }

        var section = new YamlSection(mapping, "alert", errors);
        var alert = new TestAlert
        {
            Name = Optional(section, "name"),
            Severity = Said(section, "severity"),
            Summary = Said(section, "summary"),
            Labels = Texts(section, "labels"),
            Annotations = Texts(section, "annotations"),
            Fingerprint = Said(section, "fingerprint"),
            Link = Said(section, "link"),
            Runbook = Said(section, "runbook"),
        };
        section.RejectOthers();
        return alert;
    }

    private List<ScriptedAnswer> Answers(YamlNode node, string path)
    {
        switch (node)
        {
            case YamlSequence { Items.Count: > 0 } list:
                return [.. list.Items.Select((item, index) => Answer(item, $"{path}[{index}]"))];
            default:
                errors.AtValue(
                    path,
                    $"is {(node is YamlSequence ? "an empty list" : node.Description)} and must be a list of answers.",
                    $"Write for example [failing, passing]; an answer is one of: {string.Join(", ", Verdicts)}.");
                return [];
        }
    }

    private ScriptedAnswer Answer(YamlNode node, string path)
    {
        if (node is not YamlMapping mapping)
        {
            return new() { Verdict = OneOf(node, path, Verdicts) };
        }

        var section = new YamlSection(mapping, path, errors);
        var answer = new ScriptedAnswer
        {
            Verdict = Word(section, "verdict", Verdicts, required: true),
            Summary = Said(section, "summary"),
            Value = Said(section, "value"),
            Caveat = Optional(section, "caveat"),
            Behind = section.Duration("behind", TimeSpan.Zero, s_latest),
            Times = section.Count("times", 100_000) ?? 1,
        };
        section.RejectOthers();
        return answer;
    }

    private ScriptedStep Step(YamlNode node, string path)
    {
        if (node is not YamlMapping mapping)
        {
            return new() { Outcome = OneOf(node, path, Outcomes) };
        }

        var section = new YamlSection(mapping, path, errors);
        var step = new ScriptedStep
        {
            Outcome = section.Has("outcome") ? Word(section, "outcome", Outcomes) : Optional(section, "outcome") ?? ScriptedStep.Usual.Outcome,
            Changes = section.Flag("changes"),
            Outputs = Texts(section, "outputs"),
            Undo = section.Has("undo") ? Word(section, "undo", Undos) : Optional(section, "undo") ?? ScriptedStep.Usual.Undo,
            Duration = section.Duration("takes", TimeSpan.Zero, s_latest) ?? TimeSpan.Zero,
        };
        section.RejectOthers();
        return step;
    }

    private TestEvent Event(YamlSection section)
    {
        var happening = new TestEvent
        {
            After = section.Duration("after", TimeSpan.Zero, s_latest, required: true) ?? TimeSpan.Zero,
            Approve = Optional(section, "approve"),
            Reject = Optional(section, "reject"),
            TakeOver = Optional(section, "takeOver"),
            Done = Optional(section, "done"),
            CouldNot = Optional(section, "couldNot"),
            Items = Numbers(section, "items"),
            Cancel = Optional(section, "cancel"),
            TakeBack = Optional(section, "takeBack"),
            Resolved = section.Flag("resolved"),
            Reason = Said(section, "reason"),
        };
        section.RejectOthers();
        if (happening.Items is not null && (happening.Done ?? happening.CouldNot ?? happening.TakeOver) is null)
        {
            errors.AtKey(section.PathOf("items"), "belongs to done, couldNot or takeOver.", "Add one of them, or remove it.");
        }

        if (EventKinds.Append("resolved").Count(section.Has) != 1)
        {
            errors.AtKey(
                section.Path,
                "has to say exactly one thing that happens.",
                $"Write one of {string.Join(", ", EventKinds)} with the person's name, or 'resolved: true'.");
        }
        else if (section.Raw("resolved") == "false")
        {
            errors.AtValue(section.PathOf("resolved"), "is false, so nothing happens.", "Write 'resolved: true', or remove the event.");
        }

        return happening;
    }

    private TestExpectation Expectation(YamlSection root)
    {
        if (root.Sub("expect", required: true) is not { } section)
        {
            return new() { State = "" };
        }

        var expected = new TestExpectation
        {
            State = Word(section, "state", States, required: true),
            Steps = section.Has("steps") ? Mapping(section, "steps", (node, path) => OneOf(node, path, Statuses)) : null,
        };
        _ = section.Node("steps");
        section.RejectOthers();
        return expected;
    }

    private static Dictionary<string, T> Mapping<T>(YamlSection section, string key, Func<YamlNode, string, T> read) =>
        section.Free(key)?.Entries.ToDictionary(
            entry => entry.Key, entry => read(entry.Value, FileErrors.Join(section.PathOf(key), entry.Key)), StringComparer.Ordinal)
            ?? [];

    private List<int>? Numbers(YamlSection section, string key)
    {
        if (section.Node(key) is null)
        {
            return null;
        }

        var numbers = section.TextList(key).Select(word => int.TryParse(word, out var number) && number > 0 ? number : 0).ToList();
        if (numbers.Contains(0))
        {
            errors.AtValue(section.PathOf(key), "holds what is no item.", "Write the items' numbers, counted from 1, for example [1, 3].");
        }

        return numbers;
    }

    /// <summary>Empty texts are allowed, since an incident's record may have them too.</summary>
    private static string? Said(
        YamlSection section, string key) => section.Node(key) is null ? null : section.Text(key, longest: Longest, mayBeEmpty: true);

    private static Dictionary<string, string> Texts(YamlSection section, string key) => new(section.TextMap(key, Longest, mayBeEmpty: true));

    private static string? Optional(YamlSection section, string key) => section.Node(key) is null ? null : section.Text(key, longest: Longest);

    private string Word(YamlSection section, string key, IReadOnlyList<string> choices, bool required = false) =>
        section.Text(key, required: required) is { Length: > 0 } ? OneOf(section.Node(key)!, section.PathOf(key), choices) : "";

    private string OneOf(YamlNode node, string path, IReadOnlyList<string> choices) => YamlSection.OneOf(node, path, choices, errors) ?? "";
}
