using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Runbooks.Catalog.Yaml;

/// <summary>
/// One document of mappings, lists and scalars. Aliases (a small file that expands into a huge one), tags (a file that chooses types) and
/// files beyond the limits are refused.
/// </summary>
internal sealed class YamlTree
{
    public const int MaxCharacters = 256 * 1024;
    public const int MaxDepth = 20;
    public const int MaxNodes = 20_000;

    private readonly IParser _parser;
    private readonly Action<Position, string, string> _report;
    private readonly Action<string, Position, string, string> _warn;
    private readonly string[] _lines;
    private int _nodes;
    private Position _last = new(1, 1);

    private YamlTree(
        IParser parser, string[] lines, Action<Position, string, string> report, Action<string, Position, string, string> warn) =>
        (_parser, _lines, _report, _warn) = (parser, lines, report, warn);

    /// <param name="report">Receives position, problem and remedy of each error.</param>
    /// <param name="warn">Receives code, position, problem and remedy of each warning.</param>
    /// <returns>Null if nothing could be read.</returns>
    public static YamlNode? Read(string text, Action<Position, string, string> report, Action<string, Position, string, string> warn)
    {
        if (text.Length > MaxCharacters)
        {
            report(new(1, 1), $"The file has more than {MaxCharacters} characters.", "Split it into several runbooks.");
            return null;
        }

        var lines = FileLines.Of(text);
        if (!FileText.Check(lines, report, warn))
        {
            return null;
        }

        var tree = new YamlTree(new Parser(new StringReader(text)), lines, report, warn);
        try
        {
            return tree.Document();
        }
        catch (YamlLimitException)
        {
            return null;
        }
        catch (YamlException broken)
        {
            var (at, problem, remedy) = YamlEscapes.Explain(broken.Message, At(broken.Start))
                ?? YamlSlips.Explain(lines, At(broken.Start))
                ?? YamlSlips.Tab(lines, At(broken.Start), isFault: broken.Message.Contains("tab character", StringComparison.Ordinal))
                ?? YamlSlips.InWords(broken.Message, At(broken.Start))
                ?? (At(broken.Start), broken.Message.TrimEnd('.'), "Check the indentation and the quotes here and in the line above.");
            report(
                at,
                $"The YAML cannot be read: {char.ToLowerInvariant(problem[0])}{problem[1..]}{(problem.EndsWith('.') ? "" : ".")}",
                remedy);
            return null;
        }
        catch (Exception tripped) when (tripped is InvalidOperationException or EndOfStreamException or ArgumentException)
        {
            // The library fails on some broken flow collections and tags instead of reporting them.
            var likely = YamlSlips.Explain(lines, tree._last);
            report(
                tree._last,
                "The YAML cannot be read from here on.",
                likely?.Remedy ?? "Check the brackets and the quotes here and in the lines below.");
            return null;
        }
    }

    private YamlNode? Document()
    {
        _parser.Consume<StreamStart>();
        if (!_parser.Accept<DocumentStart>(out _))
        {
            _report(new(1, 1), "The file is empty.", "Begin with 'id:'.");
            return null;
        }

        _parser.Consume<DocumentStart>();
        var root = Node(1);
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<DocumentStart>(out var second))
        {
            _report(At(second.Start), "A second document begins here.", "Put each runbook into a file of its own, and remove '---'.");
        }

        return root;
    }

    /// <param name="key">Also that of the list that it is in. Null for any other node.</param>
    private YamlNode Node(int depth, string? key = null)
    {
        var node = _parser.Consume<ParsingEvent>();
        var at = _last = At(node.Start);
        if (depth > MaxDepth || ++_nodes > MaxNodes)
        {
            _report(
                at,
                depth > MaxDepth ? $"This is nested deeper than {MaxDepth} levels." : $"The file has more than {MaxNodes} values.",
                "Make the runbook simpler.");
            throw new YamlLimitException();
        }

        if (node is NodeEvent marked)
        {
            RefuseMarks(marked, at);
        }

        switch (node)
        {
            case Scalar scalar:
                var plain = scalar.Style == ScalarStyle.Plain;
                if (plain && YamlSlips.CutOff(_lines, key, scalar.Value, At(scalar.End)) is { } cut)
                {
                    _warn(
                        WarningCodes.TextCutOff,
                        cut,
                        "The text ends before the '#': what follows is a comment and shown to nobody.",
                        "Put quotes around the whole text; put what is meant as a comment on a line of its own.");
                }

                if (scalar.Style == ScalarStyle.DoubleQuoted
                    && YamlEscapes.FindUnmeant(key, scalar.Value, _lines[((int)scalar.Start.Line - 1)..(int)scalar.End.Line]) is { } letter)
                {
                    _warn(
                        WarningCodes.ControlCharacter,
                        at,
                        $"The text holds the {(char.IsControl(letter) ? "control " : "")}character U+{(int)letter:X4}: "
                        + "within double quotes, a backslash and a letter such as \\b or \\t are one character.",
                        "Write the text in single quotes, where a backslash is a backslash, or \\\\ for each.");
                }

                return new YamlScalar(scalar.Value, plain, at);
            case SequenceStart:
                var items = new List<YamlNode>();
                while (!_parser.TryConsume<SequenceEnd>(out _))
                {
                    items.Add(Node(depth + 1, key));
                }

                return new YamlSequence(items, at);
            case MappingStart:
                return new YamlMapping(Entries(depth, at), at);
            default:
                _report(
                    at,
                    "Aliases (*name) are not allowed.",
                    $"Write the value out; a text that begins with '*' needs quotes: {YamlSlips.Quoted(_lines, at)}.");
                return new YamlScalar("", Plain: true, at);
        }
    }

    private List<YamlEntry> Entries(int depth, Position start)
    {
        var entries = new List<YamlEntry>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var key = Node(depth + 1);
            var value = Node(depth + 1, (key as YamlScalar)?.Value);
            if (key is not YamlScalar name)
            {
                _report(start, "A key must be a word.", "Put quotes around text that holds {{ … }}: \"{{ labels.pod }}\".");
            }
            else if (!seen.Add(name.Value))
            {
                _report(key.At, $"The key '{Clip.To(name.Value, 80)}' is there twice.", "Remove one of them.");
            }
            else
            {
                entries.Add(new(name.Value, key.At, value));
            }
        }

        return entries;
    }

    private void RefuseMarks(NodeEvent node, Position at)
    {
        if (!node.Anchor.IsEmpty)
        {
            _report(
                at,
                $"Anchors (&{Clip.To(node.Anchor.Value, 40)}) are not allowed.",
                "Remove the anchor and write the value out where it is used; a text that begins with '&' needs quotes: "
                + $"{YamlSlips.Quoted(_lines, at)}.");
        }

        if (!node.Tag.IsEmpty)
        {
            _report(
                at, $"Tags ({Clip.To(node.Tag.Value, 40)}) are not allowed.", "Remove the tag; put quotes around what is meant as text.");
        }
    }

    private static Position At(Mark mark) => new((int)mark.Line, (int)mark.Column);

    private sealed class YamlLimitException : Exception;
}

/// <summary>Both counted from 1.</summary>
internal readonly record struct Position(int Line, int Column);

/// <summary>A YAML node. Anchors, aliases, tags and complex keys are refused.</summary>
internal abstract record YamlNode(Position At)
{
    public abstract string Description { get; }
}

/// <param name="Plain">Written without quotes, so that <c>95</c>, <c>true</c> and <c>null</c> are not text.</param>
internal sealed record YamlScalar(string Value, bool Plain, Position At) : YamlNode(At)
{
    public bool IsNull => Plain && Value is "" or "~" or "null" or "Null" or "NULL";

    public override string Description => IsNull ? "nothing" : $"'{Clip.To(Value, 80)}'";
}

internal sealed record YamlSequence(IReadOnlyList<YamlNode> Items, Position At) : YamlNode(At)
{
    public override string Description => "a list";
}

internal sealed record YamlMapping(IReadOnlyList<YamlEntry> Entries, Position At) : YamlNode(At)
{
    public override string Description => "a mapping";
}

internal sealed record YamlEntry(string Key, Position KeyAt, YamlNode Value);

/// <summary>The author meant a backslash, but within double quotes it began an escape.</summary>
internal static partial class YamlEscapes
{
    /// <summary>The escapes of characters other than control characters, and of line breaks.</summary>
    private static readonly Dictionary<char, string> s_written = new() { ['\u00A0'] = @"\_", ['\u2028'] = @"\L", ['\u2029'] = @"\P", ['\n'] = @"\n", ['\r'] = @"\r" };

    /// <param name="lines">The lines of the text.</param>
    /// <returns>Null for none.</returns>
    public static char? FindUnmeant(string? key, string value, IReadOnlyCollection<string> lines)
    {
        foreach (var letter in value.Where(letter => char.IsControl(letter) || s_written.ContainsKey(letter)))
        {
            if (lines.Any(line => line.Contains(s_written.GetValueOrDefault(letter, @"\"), StringComparison.Ordinal))
                && (letter is not ('\n' or '\r') || BreakAfterDrive().IsMatch(value) || (!YamlSlips.IsSentence(key) && BreakInName().IsMatch(value))))
            {
                return letter;
            }
        }

        return null;
    }

    /// <param name="message">The library's.</param>
    /// <returns>Null for other messages.</returns>
    public static (Position At, string Problem, string Remedy)? Explain(string message, Position at) =>
        message.Contains("escape character", StringComparison.Ordinal) || message.Contains("hexadecimal number", StringComparison.Ordinal)
            ? (at, "Within double quotes a backslash begins a special character.", "Write the text in single quotes, where a backslash is a backslash, or \\\\ for each.")
            : null;

    /// <summary><c>C:\new</c></summary>
    [GeneratedRegex(@"\b[A-Za-z]:[\r\n]", RegexOptions.NonBacktracking)]
    private static partial Regex BreakAfterDrive();

    /// <summary><c>acme\nightly</c></summary>
    [GeneratedRegex(@"^\S*[A-Za-z]{2}[\r\n][A-Za-z]{2}\S*$", RegexOptions.NonBacktracking)]
    private static partial Regex BreakInName();
}
