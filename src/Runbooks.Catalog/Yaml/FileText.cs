using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Runbooks.Catalog.Yaml;

internal static partial class FileText
{
    private static readonly SearchValues<char> s_blanks = SearchValues.Create("\u00A0\u2007\u202F\u3000");

    /// <summary>Soft hyphens, blanks without a width, and marks of the writing direction. Joiners belong to some scripts and to emojis.</summary>
    private static readonly SearchValues<char> s_invisible = SearchValues.Create(
        "\u00AD\u200B\u200E\u200F\u202A\u202B\u202C\u202D\u202E\u2060\u2066\u2067\u2068\u2069\uFEFF");

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
            CheckInvisible(line, index + 1, warn);
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

    private static bool CheckBlanks(
        string line, int number, Action<Position, string, string> report, Action<string, Position, string, string> warn)
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

    private static void CheckInvisible(string line, int number, Action<string, Position, string, string> warn)
    {
        if (line.AsSpan().IndexOfAny(s_invisible) is var at and >= 0)
        {
            warn(
                WarningCodes.InvisibleCharacter,
                new(number, at + 1),
                $"A character that nobody sees stands here (U+{(int)line[at]:X4}); a query, a name or a label with it matches nothing.",
                "Delete it, with the letters around it where need be, and type them again; it often comes from a web page or a chat.");
        }
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
        "\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F"
        + "\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178";

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
