namespace Runbooks.Catalog.Yaml;

/// <summary>What a backslash makes of the text behind it within double quotes, where whoever wrote it meant a backslash.</summary>
internal static partial class YamlEscapes
{
    /// <summary>What becomes something else than a control character, and line breaks.</summary>
    private static readonly Dictionary<char, string> s_written = new() { ['\u00A0'] = @"\_", ['\u2028'] = @"\L", ['\u2029'] = @"\P", ['\n'] = @"\n", ['\r'] = @"\r" };

    /// <param name="key">Whose value it is.</param>
    /// <param name="lines">On which the text stands.</param>
    /// <returns>The first character that a backslash made and that was hardly meant; null where there is none.</returns>
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
    /// <returns>Null where it speaks of something else.</returns>
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
