using System.Globalization;
using Runbooks.Model.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Runbooks.Testing;

/// <summary>Writes a test as a person would: words of our own bare, text from outside quoted, short things on one line.</summary>
internal static class TestScriptWriter
{
    /// <summary>Stands for what an alert must not hold. It is always in quotes; as it is, the file would seem to be in another encoding.</summary>
    private static readonly string s_lost = CleanText.Replacement.ToString();

    public static string Write(TestScript script)
    {
        var root = new YamlMappingNode { { "source", script.Source } };
        Add(root, "by", script.By);
        AddWord(root, "proposed", script.Proposed ? "true" : null);
        AddWord(root, "mode", script.Mode);
        root.Add("alert", Alert(script.Alert));
        Add(root, "objections", Mapping(script.Objections, objection => Word(objection)));
        Add(root, "checks", Mapping(script.Checks, Answers));
        Add(root, "steps", Mapping(script.Steps, Step));
        if (script.Events.Count > 0)
        {
            root.Add("events", new YamlSequenceNode(script.Events.Select(Event)));
        }

        root.Add("expect", Expectation(script.Expect));
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        new YamlStream(new YamlDocument(root)).Save(text, assignAnchors: false);

        // The library closes the document with a line of three dots.
        return text.ToString().Replace("\n...", "", StringComparison.Ordinal).Replace(s_lost, @"\uFFFD", StringComparison.Ordinal).TrimEnd() + "\n";
    }

    private static YamlNode Alert(TestAlert alert)
    {
        if (alert.File is { } file)
        {
            return Text(file);
        }

        var node = new YamlMappingNode();
        Add(node, "name", alert.Name);
        Add(node, "severity", alert.Severity);
        Add(node, "summary", alert.Summary);
        Add(node, "labels", Mapping(alert.Labels, Text));
        Add(node, "annotations", Mapping(alert.Annotations, Text));
        Add(node, "fingerprint", alert.Fingerprint);
        Add(node, "link", alert.Link);
        Add(node, "runbook", alert.Runbook);
        return node;
    }

    private static YamlSequenceNode Answers(List<ScriptedAnswer> answers) =>
        new(answers.Select(Answer)) { Style = answers.TrueForAll(answer => answer.Summary is null) ? SequenceStyle.Flow : SequenceStyle.Block };

    private static YamlNode Answer(ScriptedAnswer answer)
    {
        if (answer is { Summary: null, Value: null, Caveat: null, Behind: null, Times: 1 })
        {
            return Word(answer.Verdict);
        }

        var node = Line(("verdict", Word(answer.Verdict)));
        Add(node, "summary", answer.Summary);
        Add(node, "value", answer.Value);
        Add(node, "caveat", answer.Caveat);
        AddWord(node, "behind", answer.Behind is { } behind ? DurationText.Format(behind) : null);
        AddWord(node, "times", answer.Times == 1 ? null : answer.Times.ToString(CultureInfo.InvariantCulture));
        return node;
    }

    private static YamlNode Step(ScriptedStep step)
    {
        var node = Line(("outcome", Word(step.Outcome)));
        AddWord(node, "changes", step.Changes ? "true" : null);
        Add(node, "outputs", Mapping(step.Outputs, Text, MappingStyle.Flow));
        AddWord(node, "takes", step.Duration == TimeSpan.Zero ? null : DurationText.Format(step.Duration));
        AddWord(node, "undo", step.Undo == "done" ? null : step.Undo);
        return node.Children.Count == 1 ? Word(step.Outcome) : node;
    }

    private static YamlMappingNode Event(TestEvent happening)
    {
        var node = Line(("after", Word(DurationText.Format(happening.After))));
        Add(node, "approve", happening.Approve);
        Add(node, "reject", happening.Reject);
        Add(node, "takeOver", happening.TakeOver);
        Add(node, "done", happening.Done);
        Add(node, "couldNot", happening.CouldNot);
        if (happening.Items is { } items)
        {
            node.Add("items", new YamlSequenceNode(items.Select(item => Word(item.ToString(CultureInfo.InvariantCulture)))) { Style = SequenceStyle.Flow });
        }

        Add(node, "cancel", happening.Cancel);
        Add(node, "takeBack", happening.TakeBack);
        AddWord(node, "resolved", happening.Resolved ? "true" : null);
        Add(node, "reason", happening.Reason);
        return node;
    }

    private static YamlMappingNode Expectation(TestExpectation expected) => new()
    {
        { "state", Word(expected.State) },
        { "steps", Mapping(expected.Steps ?? [], status => Word(status), MappingStyle.Flow) },
    };

    private static YamlMappingNode Line(params IEnumerable<(string Key, YamlNode Value)> parts)
    {
        var node = new YamlMappingNode { Style = MappingStyle.Flow };
        foreach (var (key, value) in parts)
        {
            node.Add(key, value);
        }

        return node;
    }

    private static YamlMappingNode Mapping<T>(Dictionary<string, T> values, Func<T, YamlNode> write, MappingStyle style = MappingStyle.Block)
    {
        var node = new YamlMappingNode { Style = style };
        foreach (var (key, value) in values)
        {
            node.Add(Text(key), write(value));
        }

        return node;
    }

    private static void Add(YamlMappingNode node, string key, string? text)
    {
        if (text is not null)
        {
            node.Add(key, Text(text));
        }
    }

    private static void Add(YamlMappingNode node, string key, YamlMappingNode value)
    {
        if (value.Children.Count > 0)
        {
            node.Add(key, value);
        }
    }

    private static void AddWord(YamlMappingNode node, string key, string? word)
    {
        if (word is not null)
        {
            node.Add(key, Word(word));
        }
    }

    private static YamlScalarNode Word(string word) => new(word) { Style = ScalarStyle.Plain };

    /// <summary>Bare only where no reader can take it for anything but this text.</summary>
    private static YamlScalarNode Text(string text) => new(text)
    {
        Style = text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')
            && text.ToLowerInvariant() is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off")
            ? ScalarStyle.Plain
            : ScalarStyle.DoubleQuoted,
    };
}
