namespace Runbooks.Catalog.Yaml;

/// <summary>Mistakes that the YAML library reports in its own words or not at all.</summary>
internal static partial class YamlSlips
{
    /// <summary>Keys with a sentence for people as value. A '#' in it is hardly ever meant as a comment.</summary>
    private static readonly HashSet<string> s_sentences = new(
        [
            "title", "summary", "owner", "ask", "users", "data", "text", "message", "reason", "description", "note", "comment",
            "instruction", "undo", "checklist",
        ],
        StringComparer.Ordinal);

    /// <summary>Keys with a mapping as value: <c>when: any: [slow]</c> does not need quotes.</summary>
    private static readonly HashSet<string> s_mappings = new(
        ["impact", "when", "approval", "verify", "holdUntil", "retry", "limits", "suppressedBy", "labels", "with", "expect"],
        StringComparer.Ordinal);

    /// <summary>What the library says, and what it means to whoever wrote the file.</summary>
    private static readonly (string Said, string Problem, string Remedy)[] s_said =
    [
        (
            "found invalid mapping",
            "A key stands here, and the text above it has not ended.",
            "Look at the line above: a key needs ': ' behind it, and a text of several lines quotes around it."),
        (
            "did not find expected key",
            "This line is indented like nothing above it, or a comma or a bracket is left over.",
            "Indent it like the keys that it belongs to, and check the brackets and the quotes here and in the line above."),
        (
            "did not find expected '-' indicator",
            "A list stands above, and this line is no item of it.",
            "Indent it like the text behind the '-', or begin it with '- '; where no list is meant, remove the '-' above."),
        ("multi-line double-quoted scalar", "The quotes that begin here are not closed.", "Close them where the text ends."),
        ("quoted scalar", "Quotes are not closed.", "Close them where the text ends."),
        ("extra spaces in first line", "The empty line at the beginning of the text above has more blanks than the text.", "Remove its blanks, or write the text."),
    ];

    public static bool IsSentence(string? key) => key is not null && s_sentences.Contains(key);

    /// <returns>Position, problem and remedy. Null if not known.</returns>
    public static (Position At, string Problem, string Remedy)? Explain(string[] lines, Position at)
    {
        // The parser often notices it one line later.
        foreach (var number in (int[])[at.Line, at.Line - 1])
        {
            if (number >= 1
                && number <= lines.Length
                && (number == at.Line || !IsInBlock(lines, number - 1))
                && (Explain(lines[number - 1]) ?? NoKey(lines, number - 1)) is var (problem, remedy))
            {
                var line = lines[number - 1];
                return (number == at.Line ? at : new(number, line.Length - line.TrimStart().Length + 1), problem, remedy);
            }
        }

        return null;
    }

    /// <returns>Null for a message that is not known.</returns>
    public static (Position At, string Problem, string Remedy)? InWords(string message, Position at) =>
        Array.Find(s_said, entry => message.Contains(entry.Said, StringComparison.Ordinal)) is { Problem: { } problem } known
            ? (at, problem, known.Remedy)
            : null;

    /// <summary>The parser reports the mapping around the tab, which may begin far above.</summary>
    /// <param name="isFault">The parser reported a tab. It may then be on an otherwise empty line.</param>
    /// <returns>Null if there is none from there on.</returns>
    public static (Position At, string Problem, string Remedy)? Tab(string[] lines, Position from, bool isFault)
    {
        var index = Enumerable.Range(0, lines.Length)
            .Skip(from.Line - 1)
            .FirstOrDefault(
                line => IsTabbed(lines[line]) && (isFault || !string.IsNullOrWhiteSpace(lines[line])) && !IsInBlock(lines, line),
                defaultValue: -1);
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
        if (value.Length == 0
            || hash < 0
            || !string.IsNullOrWhiteSpace(rest[..hash])
            || string.IsNullOrWhiteSpace(rest[(hash + 1)..])
            || rest.AsSpan(hash + 1).TrimStart().StartsWith(Allowances.Word, StringComparison.Ordinal))
        {
            return null;
        }

        // A real comment usually has a space after '#'; '#3' and '#channel' usually are text.
        var attached = !char.IsWhiteSpace(rest[hash + 1]);
        return IsSentence(key) || (attached && (value.Contains(' ') || key is "alert" or "target"))
            ? new(end.Line, end.Column + hash)
            : null;
    }

    /// <summary>A line that was to be a key, above one that is: <c>severity = high</c>. What a text goes on with is indented more.</summary>
    private static (string Problem, string Remedy)? NoKey(string[] lines, int index) =>
        WithoutColon().Match(lines[index]) is { Success: true } line
        && !lines[index].Contains(": ", StringComparison.Ordinal)
        && lines.Skip(index + 1).FirstOrDefault(next => !string.IsNullOrWhiteSpace(next)) is { } below
        && Indent(below) == Indent(lines[index])
        && (Above(lines, index) is not { } above || above.TrimEnd().EndsWith(':') || above.TrimStart().StartsWith("- ", StringComparison.Ordinal))
            ? ("A key and its value need ': ' between them.", $"Write {Clip.To($"{line.Groups["key"].Value}: {line.Groups["value"].Value}", 60)}.")
            : null;

    private static (string Problem, string Remedy)? Explain(string line)
    {
        if (MergeMark().IsMatch(line))
        {
            return ("This line is a mark of a merge that git could not finish.", "Keep one of the two sides, and remove the marks.");
        }

        if (Bullet().Match(line) is { Success: true } bullet)
        {
            return (
                $"An item of a list begins with '-', and not with '{bullet.Groups["bullet"].Value}', as Word and chats write it.",
                "Write '- ' in its place.");
        }

        if (MarkStart().Match(line) is { Success: true } mark)
        {
            var text = mark.Groups["value"];
            return ($"A text that begins with '{text.Value[0]} ' needs quotes.", $"Put quotes around it: {Quote(ValueAt(line, text.Index))}.");
        }

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
    private static bool IsInBlock(string[] lines, int index) => Above(lines, index) is { } above && EndsInHeader().IsMatch(above);

    /// <summary>The line that this one belongs to.</summary>
    private static string? Above(string[] lines, int index) =>
        lines.Take(index).LastOrDefault(line => !string.IsNullOrWhiteSpace(line) && Indent(line) < Indent(lines[index]));

    private static int Indent(string line) => line.Length - line.TrimStart(' ').Length;

    private static string Quote(string value)
    {
        var clipped = Clip.To(value, 60);
        return clipped.AsSpan().IndexOfAny('"', '\\') < 0 ? $"\"{clipped}\"" : $"'{clipped.Replace("'", "''", StringComparison.Ordinal)}'";
    }

    /// <summary>A value that begins with a character that means something else in YAML.</summary>
    [GeneratedRegex(@"(?:^\s*-|[\w""'.-]:|[\[{,])\s+(?<value>[*&!%@`|>].*)$|[\[]\s*(?<value>[*&!%@`|>].*)$", RegexOptions.NonBacktracking)]
    private static partial Regex SpecialStart();

    [GeneratedRegex(@"^(?:<{7}|={7}|>{7}|\|{7})(?:\s.*)?$", RegexOptions.NonBacktracking)]
    private static partial Regex MergeMark();

    [GeneratedRegex(@"^\s*(?<bullet>[•‣▪●·–—])\s", RegexOptions.NonBacktracking)]
    private static partial Regex Bullet();

    /// <summary>Behind a key a dash begins no list, and a question mark no key.</summary>
    [GeneratedRegex(@"^\s*(?:- )*[\w.'""-]+:\s+(?<value>[-?]\s.*)$", RegexOptions.NonBacktracking)]
    private static partial Regex MarkStart();

    [GeneratedRegex(@"^\s*(?:- )*(?<key>[A-Za-z]\w*)\s*[\s=：]\s*(?<value>[^\s=：].*)$", RegexOptions.NonBacktracking)]
    private static partial Regex WithoutColon();

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
