using System.Text.RegularExpressions;

namespace Runbooks.Catalog.Yaml;

/// <summary>Slips that the YAML library reports in its own words, or not at all, each with the remedy that fits.</summary>
internal static partial class YamlSlips
{
    /// <summary>Keys whose value is a sentence for people: a '#' in it is hardly ever meant as a comment.</summary>
    private static readonly HashSet<string> Sentences = new(["title", "summary", "owner", "ask", "users", "data", "text", "message", "reason", "description", "note", "comment", "instruction", "undo", "checklist"], StringComparer.Ordinal);

    /// <summary>Keys whose value is a mapping: <c>when: any: [slow]</c> is no text that lacks its quotes.</summary>
    private static readonly HashSet<string> Mappings = new(["impact", "when", "approval", "verify", "holdUntil", "retry", "limits", "suppressedBy", "labels", "with", "expect"], StringComparer.Ordinal);

    /// <summary>What most likely is wrong where the YAML could not be read.</summary>
    /// <returns>Where, problem and remedy; null when nothing is known.</returns>
    public static (Position At, string Problem, string Remedy)? Explain(string[] lines, Position at)
    {
        // The parser often notices it one line later.
        foreach (var number in (int[])[at.Line, at.Line - 1])
        {
            if (number >= 1 && number <= lines.Length && Explain(lines[number - 1]) is var (problem, remedy))
            {
                var line = lines[number - 1];
                return (number == at.Line ? at : new(number, line.Length - line.TrimStart().Length + 1), problem, remedy);
            }
        }

        return null;
    }

    /// <summary>The value that stands at this place, in quotes.</summary>
    public static string Quoted(string[] lines, Position at)
    {
        var line = at.Line <= lines.Length ? lines[at.Line - 1] : "";
        return at.Column <= line.Length ? Quote(ValueAt(line, at.Column - 1)) : "\"…\"";
    }

    /// <returns>Where the comment begins that probably cut off a text; null when there is none.</returns>
    public static Position? CutOff(string[] lines, string? key, string value, Position end)
    {
        var rest = end.Line <= lines.Length && end.Column - 1 <= lines[end.Line - 1].Length ? lines[end.Line - 1][(end.Column - 1)..] : "";
        var hash = rest.IndexOf('#', StringComparison.Ordinal);
        if (value.Length == 0 || hash < 0 || !string.IsNullOrWhiteSpace(rest[..hash]) || string.IsNullOrWhiteSpace(rest[(hash + 1)..]) || rest.AsSpan(hash + 1).TrimStart().StartsWith(Allowances.Word, StringComparison.Ordinal))
        {
            return null;
        }

        // A comment is usually set off from its '#'; '#3' or '#channel' is usually none.
        var attached = !char.IsWhiteSpace(rest[hash + 1]);
        return (key is not null && Sentences.Contains(key)) || (attached && (value.Contains(' ') || key is "alert" or "target"))
            ? new(end.Line, end.Column + hash)
            : null;
    }

    private static (string Problem, string Remedy)? Explain(string line)
    {
        var special = SpecialStart().Match(line);
        if (special.Success && special.Groups["value"] is var value && !BlockHeader().IsMatch(value.Value))
        {
            return ($"A text that begins with '{value.Value[0]}' needs quotes.", $"Put quotes around it: {Quote(ValueAt(line, value.Index))}.");
        }

        if (CommentInBrackets().IsMatch(line))
        {
            return ("What follows ' #' is a comment, so the brackets of this line are not closed.", "Put quotes around the text that holds the '#'.");
        }

        if (BraceInBrackets().IsMatch(line))
        {
            return ("A text that holds '{' needs quotes within brackets.", "Put quotes around the whole text, for example \"Recycled {{ labels.pod }}\".");
        }

        if (SecondColon().Match(line) is { Success: true } colon)
        {
            var written = ValueAt(line, colon.Groups["value"].Index);
            return Mappings.Contains(colon.Groups["key"].Value)
                ? ("A mapping on the line of its key needs braces.", written.Contains("{{", StringComparison.Ordinal)
                    ? "Put it on lines of its own below the key, with quotes around what holds '{{'."
                    : $"Write {{ {Clip.To(written, 60)} }}, or put it on lines of its own below the key.")
                : ("A text that holds ': ' needs quotes.", $"Put quotes around it: {Quote(written)}.");
        }

        return NoBlank().Match(line) is { Success: true } joined
            ? ("A key and its value need a blank between them.", $"Write {Clip.To($"{joined.Groups["key"].Value}: {joined.Groups["value"].Value}", 60)}.")
            : null;
    }

    /// <summary>To the end of the line; within brackets to the end of the entry.</summary>
    private static string ValueAt(string line, int start)
    {
        var value = line[start..];
        if (line.AsSpan(0, start).IndexOfAny('{', '[') >= 0)
        {
            var end = value.AsSpan().IndexOfAny(",}]");
            value = end < 0 ? value : value[..end];
        }

        var comment = value.IndexOf(" #", StringComparison.Ordinal);
        return (comment < 0 ? value : value[..comment]).Trim();
    }

    private static string Quote(string value)
    {
        var clipped = Clip.To(value, 60);
        return clipped.AsSpan().IndexOfAny('"', '\\') < 0 ? $"\"{clipped}\"" : $"'{clipped.Replace("'", "''", StringComparison.Ordinal)}'";
    }

    /// <summary>A value that begins with a character that means something else in YAML.</summary>
    [GeneratedRegex(@"(?:^\s*-|[\w""'.-]:|[\[{,])\s+(?<value>[*&!%@`|>].*)$|[\[]\s*(?<value>[*&!%@`|>].*)$", RegexOptions.NonBacktracking)]
    private static partial Regex SpecialStart();

    /// <summary>A '>' or '|' that begins a text on the lines below.</summary>
    [GeneratedRegex(@"^[|>](?:[1-9]?[+\-]?|[+\-][1-9])\s*(?:#.*)?$", RegexOptions.NonBacktracking)]
    private static partial Regex BlockHeader();

    /// <summary>A value without quotes that opens a brace of its own, within a mapping in braces.</summary>
    [GeneratedRegex(@"\{[^""']*[\w.-]+:\s+[^\s""'\[{][^""',{}]*\{", RegexOptions.NonBacktracking)]
    private static partial Regex BraceInBrackets();

    /// <summary>No address: what follows the colon of one is a slash.</summary>
    [GeneratedRegex(@"^\s*(?:- )*(?<key>[A-Za-z]\w*):(?<value>[^\s:/\\][^:]*)$", RegexOptions.NonBacktracking)]
    private static partial Regex NoBlank();

    [GeneratedRegex(@"[\[{][^\]}]*\s#", RegexOptions.NonBacktracking)]
    private static partial Regex CommentInBrackets();

    [GeneratedRegex(@"^\s*(?:- )*(?<key>[\w.-]+):\s+(?<value>[^\s""'\[{|>&*!%@`#][^#]*:(?:\s.*)?)$", RegexOptions.NonBacktracking)]
    private static partial Regex SecondColon();
}
