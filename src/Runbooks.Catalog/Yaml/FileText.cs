using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Runbooks.Catalog.Yaml;

internal static partial class FileText
{
    private static readonly SearchValues<char> s_blanks = SearchValues.Create("\u00A0\u2007\u202F\u3000");

    /// <returns>False if nothing in the file can be trusted.</returns>
    public static bool Check(string[] lines, Action<Position, string, string> report, Action<string, Position, string, string> warn)
    {
        var sound = true;
        var unreadable = false;
        var misread = false;
        for (var index = 0; index < lines.Length; index++)
        {
            var line = lines[index];
            if (!unreadable && line.IndexOf('\uFFFD') is var lost and >= 0)
            {
                // Every accent of the file is damaged in the same way, so one report is enough.
                unreadable = true;
                report(
                    new(index + 1, lost + 1),
                    "The file is not UTF-8: a character here cannot be read.",
                    "Save the file with the encoding UTF-8; the present one is probably Windows-1252, which editors also call ANSI or "
                    + "Latin-1.");
            }

            if (line.AsSpan().TrimStart().StartsWith('#') || Ascii.IsValid(line))
            {
                continue;
            }

            sound &= CheckBlanks(line, index + 1, report, warn);
            CheckAccents(line, index + 1, warn);
            if (!misread && Misread.Find(line) is { } found)
            {
                misread = true;
                warn(
                    WarningCodes.MisreadEncoding,
                    new(index + 1, found.At + 1),
                    $"'{found.Written}' is most likely '{found.Meant}', read with the wrong encoding when the file was written.",
                    "Write the file anew as UTF-8 from its source. Windows PowerShell reads UTF-8 only with -Encoding utf8, in "
                    + "Get-Content too.");
            }
        }

        return sound;
    }

    private static bool CheckBlanks(string line, int number, Action<Position, string, string> report, Action<string, Position, string, string> warn)
    {
        if (BlankInStructure().Match(line) is { Success: true } structure)
        {
            report(
                new(number, structure.Groups["blank"].Index + 1),
                "A no-break space stands here, where YAML needs an ordinary one.",
                "Replace it by an ordinary space; it often comes from a web page or a chat.");
            return false;
        }

        if (line.AsSpan().IndexOfAny(s_blanks) is var at and >= 0)
        {
            warn(
                WarningCodes.NoBreakSpace,
                new(number, at + 1),
                "A no-break space stands here; in a query, a name or a label it is not the same as a space.",
                "Replace it by an ordinary space unless it is meant.");
        }

        return true;
    }

    private static void CheckAccents(string line, int number, Action<string, Position, string, string> warn)
    {
        for (var at = 1; at < line.Length; at++)
        {
            if (ComposedText.Compose(line[at - 1], line[at]) is { } letter)
            {
                warn(
                    WarningCodes.SplitLetter,
                    new(number, at),
                    $"The letter '{letter}' is written as two characters here, a letter and an accent.",
                    "Type it again as one character: in a query, a name or a label the two are not the same.");
                return;
            }
        }
    }

    /// <summary>In the indentation, after the dash of a list, or between a key and its value.</summary>
    [GeneratedRegex(@"^[ \t]*(?:- *)*(?:[\w.-]+:)?(?<blank>[\u00A0\u2007\u202F\u3000])", RegexOptions.NonBacktracking)]
    private static partial Regex BlankInStructure();
}

/// <summary>Letters of a UTF-8 text that was read as Windows-1252 and written as UTF-8 again: <c>MÃ¼nchen</c>.</summary>
internal static class Misread
{
    /// <summary>Windows-1252 from 0x80 to 0x9F. Above that it equals Unicode.</summary>
    private const string Windows1252 =
        "\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178";

    /// <returns>The first letters whose Windows-1252 bytes are valid UTF-8. Null for none. Real accents hardly ever are.</returns>
    public static (int At, string Written, string Meant)? Find(string line)
    {
        for (var start = 0; start < line.Length; start++)
        {
            if (ByteOf(line[start]) is null)
            {
                continue;
            }

            var bytes = line.Skip(start).Select(ByteOf).TakeWhile(one => one is not null).Select(one => one!.Value).ToArray();
            if (Utf8.IsValid(bytes) && Encoding.UTF8.GetString(bytes) is var meant && meant.All(IsUsual))
            {
                return (start, line.Substring(start, bytes.Length), meant);
            }

            start += bytes.Length;
        }

        return null;
    }

    /// <summary>Accented letters of Europe, dashes and quotation marks: 'É»' is the end of a French quotation, and not 'ɻ'.</summary>
    private static bool IsUsual(char letter) => letter is (>= '\u00A0' and <= '\u017F') or (>= '\u2010' and <= '\u20BF');

    private static byte? ByteOf(char letter) => letter switch
    {
        < '\u0080' => null,
        >= '\u00A0' and <= '\u00FF' => (byte)letter,
        _ => Windows1252.IndexOf(letter, StringComparison.Ordinal) is var at and >= 0 ? (byte)(0x80 + at) : null,
    };
}

/// <summary>Mistakes that the YAML library reports in its own words or not at all.</summary>
internal static partial class YamlSlips
{
    /// <summary>Keys with a sentence for people as value. A '#' in it is hardly ever meant as a comment.</summary>
    private static readonly HashSet<string> s_sentences = new(["title", "summary", "owner", "ask", "users", "data", "text", "message", "reason", "description", "note", "comment", "instruction", "undo", "checklist"], StringComparer.Ordinal);

    /// <summary>Keys with a mapping as value: <c>when: any: [slow]</c> does not need quotes.</summary>
    private static readonly HashSet<string> s_mappings = new(["impact", "when", "approval", "verify", "holdUntil", "retry", "limits", "suppressedBy", "labels", "with", "expect"], StringComparer.Ordinal);

    public static bool IsSentence(string? key) => key is not null && s_sentences.Contains(key);

    /// <returns>Position, problem and remedy. Null if not known.</returns>
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

    /// <summary>The parser reports the mapping around the tab, which may begin far above.</summary>
    /// <param name="isFault">The parser reported a tab. It may then be on an otherwise empty line.</param>
    /// <returns>Null if there is none from there on.</returns>
    public static (Position At, string Problem, string Remedy)? Tab(string[] lines, Position from, bool isFault)
    {
        var index = Enumerable.Range(0, lines.Length).Skip(from.Line - 1).FirstOrDefault(line => IsTabbed(lines[line]) && (isFault || !string.IsNullOrWhiteSpace(lines[line])) && !IsInBlock(lines, line), -1);
        return index < 0 ? null : (new(index + 1, lines[index].IndexOf('\t', StringComparison.Ordinal) + 1), "A line begins with a tab.", "Indent with blanks.");
    }

    /// <summary>The value at this position, in quotes.</summary>
    public static string Quoted(string[] lines, Position at)
    {
        var line = at.Line <= lines.Length ? lines[at.Line - 1] : "";
        return at.Column <= line.Length ? Quote(ValueAt(line, at.Column - 1)) : "\"…\"";
    }

    /// <returns>Null for none.</returns>
    public static Position? CutOff(string[] lines, string? key, string value, Position end)
    {
        var rest = end.Line <= lines.Length && end.Column - 1 <= lines[end.Line - 1].Length ? lines[end.Line - 1][(end.Column - 1)..] : "";
        var hash = rest.IndexOf('#', StringComparison.Ordinal);
        if (value.Length == 0 || hash < 0 || !string.IsNullOrWhiteSpace(rest[..hash]) || string.IsNullOrWhiteSpace(rest[(hash + 1)..]) || rest.AsSpan(hash + 1).TrimStart().StartsWith(Allowances.Word, StringComparison.Ordinal))
        {
            return null;
        }

        // A real comment usually has a space after '#'; '#3' and '#channel' usually are text.
        var attached = !char.IsWhiteSpace(rest[hash + 1]);
        return IsSentence(key) || (attached && (value.Contains(' ') || key is "alert" or "target"))
            ? new(end.Line, end.Column + hash)
            : null;
    }

    private static (string Problem, string Remedy)? Explain(string line)
    {
        var special = SpecialStart().Match(line);
        if (special.Success && special.Groups["value"] is var value && !BlockHeader().IsMatch(value.Value))
        {
            return (
                $"A text that begins with '{value.Value[0]}' needs quotes.",
                $"Put quotes around it: {Quote(ValueAt(line, value.Index))}.");
        }

        if (CommentInBrackets().IsMatch(line))
        {
            return (
                "What follows ' #' is a comment, so the brackets of this line are not closed.",
                "Put quotes around the text that holds the '#'.");
        }

        if (BracketStart().Match(line) is { Success: true } bracket)
        {
            var text = bracket.Groups["value"];
            return ("A text that begins with '[' needs quotes.", $"Put quotes around it: {Quote(ValueAt(line, text.Index))}.");
        }

        if (QuotesEnd().IsMatch(line))
        {
            return ("The quotes end before the text does.", "Put the other kind of quotes around the whole text.");
        }

        if (BraceInBrackets().IsMatch(line))
        {
            return (
                "A text that holds '{' needs quotes within brackets.",
                "Put quotes around the whole text, for example \"Recycled {{ labels.pod }}\".");
        }

        if (SecondColon().Match(line) is { Success: true } colon)
        {
            var written = ValueAt(line, colon.Groups["value"].Index);
            return s_mappings.Contains(colon.Groups["key"].Value)
                ? ("A mapping on the line of its key needs braces.", written.Contains("{{", StringComparison.Ordinal)
                    ? "Put it on lines of its own below the key, with quotes around what holds '{{'."
                    : $"Write {{ {Clip.To(written, 60)} }}, or put it on lines of its own below the key.")
                : ("A text that holds ': ' needs quotes.", $"Put quotes around it: {Quote(written)}.");
        }

        return NoBlank().Match(line) is { Success: true } joined
            ? ("A key and its value need a blank between them.", $"Write {Clip.To($"{joined.Groups["key"].Value}: {joined.Groups["value"].Value}", 60)}.")
            : null;
    }

    /// <summary>To the end of the line. Within brackets to the end of the entry.</summary>
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

    private static bool IsTabbed(string line) => line.TrimStart(' ').StartsWith('\t');

    /// <summary>Inside a block text that '|' or '>' begins, a tab is part of the text.</summary>
    private static bool IsInBlock(string[] lines, int index)
    {
        var above = lines.Take(index).LastOrDefault(line => !string.IsNullOrWhiteSpace(line) && Indent(line) < Indent(lines[index]));
        return above is not null && EndsInHeader().IsMatch(above);
    }

    private static int Indent(string line) => line.Length - line.TrimStart(' ').Length;

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

    [GeneratedRegex(@"(?:^\s*-|:)\s+[|>](?:[1-9]?[+\-]?|[+\-][1-9])\s*(?:#.*)?$", RegexOptions.NonBacktracking)]
    private static partial Regex EndsInHeader();

    /// <summary>A mark in front of a name, <c>[prod] Web app</c>. A real list ends with its line.</summary>
    [GeneratedRegex(@"^\s*(?:- +)*(?:[\w.-]+:\s+)?(?<value>\[[^\]]*\]\s*[^\s,#\]].*)$", RegexOptions.NonBacktracking)]
    private static partial Regex BracketStart();

    /// <summary>An apostrophe in single quotes, or quotes around a part of the text.</summary>
    [GeneratedRegex(@"^\s*(?:- +)*(?:[\w.-]+:\s+)?(?:'[^']*'\s*[^\s,#\]}:'].*|""(?:[^""\\]|\\.)*""\s*[^\s,#\]}:].*)$", RegexOptions.NonBacktracking)]
    private static partial Regex QuotesEnd();

    /// <summary>An unquoted value that opens a brace of its own, within a mapping in braces.</summary>
    [GeneratedRegex(@"\{[^""']*[\w.-]+:\s+[^\s""'\[{][^""',{}]*\{", RegexOptions.NonBacktracking)]
    private static partial Regex BraceInBrackets();

    /// <summary>Not for addresses, which have a slash after the colon.</summary>
    [GeneratedRegex(@"^\s*(?:- )*(?<key>[A-Za-z]\w*):(?<value>[^\s:/\\][^:]*)$", RegexOptions.NonBacktracking)]
    private static partial Regex NoBlank();

    [GeneratedRegex(@"[\[{][^\]}]*\s#", RegexOptions.NonBacktracking)]
    private static partial Regex CommentInBrackets();

    [GeneratedRegex(@"^\s*(?:- )*(?<key>[\w.-]+):\s+(?<value>[^\s""'\[{|>&*!%@`#][^#]*:(?:\s.*)?)$", RegexOptions.NonBacktracking)]
    private static partial Regex SecondColon();
}
