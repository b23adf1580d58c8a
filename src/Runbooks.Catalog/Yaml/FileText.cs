using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Runbooks.Catalog.Problems;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Yaml;

/// <summary>Characters that look like others, or that were lost on the way into the file.</summary>
internal static partial class FileText
{
    private static readonly SearchValues<char> Blanks = SearchValues.Create("\u00A0\u2007\u202F\u3000");

    /// <returns>False when nothing that is read of it could be trusted.</returns>
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
                // Every accent of the file is lost in the same way: one of them is enough to say so.
                unreadable = true;
                report(new(index + 1, lost + 1), "The file is not UTF-8: a character here cannot be read.", "Save the file with the encoding UTF-8; the present one is probably Windows-1252, which editors also call ANSI or Latin-1.");
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
                warn(WarningCodes.MisreadEncoding, new(index + 1, found.At + 1), $"'{found.Written}' is most likely '{found.Meant}', read with the wrong encoding when the file was written.", "Write the file anew as UTF-8 from its source. Windows PowerShell reads UTF-8 only with -Encoding utf8, in Get-Content too.");
            }
        }

        return sound;
    }

    private static bool CheckBlanks(string line, int number, Action<Position, string, string> report, Action<string, Position, string, string> warn)
    {
        if (BlankInStructure().Match(line) is { Success: true } structure)
        {
            report(new(number, structure.Groups["blank"].Index + 1), "A no-break space stands here, where YAML needs an ordinary one.", "Replace it by an ordinary space; it often comes from a web page or a chat.");
            return false;
        }

        if (line.AsSpan().IndexOfAny(Blanks) is var at and >= 0)
        {
            warn(WarningCodes.NoBreakSpace, new(number, at + 1), "A no-break space stands here; in a query, a name or a label it is not the same as a space.", "Replace it by an ordinary space unless it is meant.");
        }

        return true;
    }

    private static void CheckAccents(string line, int number, Action<string, Position, string, string> warn)
    {
        for (var at = 1; at < line.Length; at++)
        {
            if (ComposedText.Compose(line[at - 1], line[at]) is { } letter)
            {
                warn(WarningCodes.SplitLetter, new(number, at), $"The letter '{letter}' is written as two characters here, a letter and an accent.", "Type it again as one character: in a query, a name or a label the two are not the same.");
                return;
            }
        }
    }

    /// <summary>In the indentation, after the dash of a list, or between a key and its value.</summary>
    [GeneratedRegex(@"^[ \t]*(?:- *)*(?:[\w.-]+:)?(?<blank>[\u00A0\u2007\u202F\u3000])", RegexOptions.NonBacktracking)]
    private static partial Regex BlankInStructure();
}
