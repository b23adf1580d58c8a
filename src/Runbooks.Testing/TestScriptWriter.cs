using System.Globalization;
using Runbooks.Model.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Runbooks.Testing;

/// <summary>Writes a test as a person would: our own words bare, text from outside quoted, short things on one line.</summary>
internal static class TestScriptWriter
{
    /// <summary>Replaces a character that an alert must not have. Always in quotes: bare, the file would seem to have another encoding.</summary>
    private static readonly string s_lost = CleanText.Replacement.ToString();

    public static string Write(TestScript script)
    {
        var root = Keys(
            MappingStyle.Block,
            ("source", script.Source), ("by", script.By), ("proposed", script.Proposed), ("mode", script.Mode), ("alert", Alert(script.Alert)),
            ("objections", Mapping(script.Objections, Text)), ("checks", Mapping(script.Checks, Answers)), ("steps", Mapping(script.Steps, Step)),
            ("events", script.Events.Count == 0 ? null : new YamlSequenceNode(script.Events.Select(Event))), ("expect", Expectation(script.Expect)));
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        new YamlStream(new YamlDocument(root)).Save(text, assignAnchors: false);

        // The library ends the document with a line of three dots.
        return text.ToString().Replace("\n...", "", StringComparison.Ordinal).Replace(s_lost, @"\uFFFD", StringComparison.Ordinal).TrimEnd() + "\n";
    }

    private static YamlNode Alert(TestAlert alert) => alert.File is { } file ? Text(file) : Keys(
        MappingStyle.Block,
        ("name", alert.Name), ("severity", alert.Severity), ("summary", alert.Summary), ("labels", Mapping(
            alert.Labels, Text)), ("annotations", Mapping(alert.Annotations, Text)),
        ("fingerprint", alert.Fingerprint), ("link", alert.Link), ("runbook", alert.Runbook));

    private static YamlSequenceNode Answers(List<ScriptedAnswer> answers) =>
        new(answers.Select(Answer)) { Style = answers.TrueForAll(answer => answer.Summary is null) ? SequenceStyle.Flow : SequenceStyle.Block };

    private static YamlNode Answer(ScriptedAnswer answer) => WordOr(Keys(
        MappingStyle.Flow,
        ("verdict", answer.Verdict), ("summary", answer.Summary), ("value", answer.Value), ("caveat", answer.Caveat), ("behind", answer.Behind), ("times", answer.Times == 1
            ? null
            : answer.Times)));

    private static YamlNode Step(ScriptedStep step) => WordOr(Keys(
        MappingStyle.Flow,
        ("outcome", step.Outcome), ("changes", step.Changes), ("outputs", Mapping(step.Outputs, Text, MappingStyle.Flow)),
        ("takes", step.Duration == TimeSpan.Zero ? null : step.Duration), ("undo", step.Undo == ScriptedStep.Usual.Undo ? null : step.Undo)));

    private static YamlNode Event(TestEvent happening) => Keys(
        MappingStyle.Flow,
        ("after", happening.After),
        ("approve", happening.Approve),
        ("reject", happening.Reject),
        ("takeOver", happening.TakeOver),
        ("done", happening.Done),
        ("couldNot", happening.CouldNot),
        ("items", happening.Items is { } items ? new YamlSequenceNode(items.Select(item => Node(item)!)) { Style = SequenceStyle.Flow } : null),
        ("cancel", happening.Cancel),
        ("takeBack", happening.TakeBack),
        ("resolved", happening.Resolved),
        ("reason", happening.Reason));

    private static YamlMappingNode Expectation(TestExpectation expected) => Keys(
        MappingStyle.Block, ("state", expected.State), (
            "steps",
            Mapping(expected.Steps ?? [], Text, MappingStyle.Flow) ?? new YamlMappingNode { Style = MappingStyle.Flow }));

    /// <summary>Leaves defaults out.</summary>
    private static YamlMappingNode Keys(MappingStyle style, params IEnumerable<(string Key, object? Value)> parts) =>
        new(parts.Select(part => (part.Key, Value: Node(part.Value)))
            .Where(part => part.Value is not null)
            .Select(part => KeyValuePair.Create<YamlNode, YamlNode>(part.Key, part.Value!))) { Style = style };

    private static YamlMappingNode? Mapping<T>(Dictionary<string, T> values, Func<T, YamlNode> write, MappingStyle style = MappingStyle.Block) =>
        values.Count == 0
            ? null
            : new(values.Select(value => KeyValuePair.Create<YamlNode, YamlNode>(Text(value.Key), write(value.Value)))) { Style = style };

    /// <summary>Its first value alone, where the others are defaults.</summary>
    private static YamlNode WordOr(YamlMappingNode mapping) => mapping.Children.Count == 1 ? mapping.Children[0].Value : mapping;

    private static YamlNode? Node(object? value) => value switch
    {
        YamlNode node => node,
        string text => Text(text),
        TimeSpan duration => Bare(DurationText.Format(duration)),
        int number => Bare(number.ToString(CultureInfo.InvariantCulture)),
        true => Bare("true"),
        _ => null,
    };

    private static YamlScalarNode Bare(string word) => new(word) { Style = ScalarStyle.Plain };

    /// <summary>Bare only where every reader takes it for exactly this text.</summary>
    private static YamlScalarNode Text(string text) => new(text)
    {
        Style = text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')
            && text.ToLowerInvariant() is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off")
            ? ScalarStyle.Plain
            : ScalarStyle.DoubleQuoted,
    };
}
