namespace Runbooks.Model.Text;

public static class MarkdownText
{
    private const string Blocks = " ▁▂▃▄▅▆▇█";

    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            _ = character switch
            {
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '&' => escaped.Append("&amp;"),
                '\n' or '\r' or '\t' or '\u2028' or '\u2029' => escaped.Append(' '),
                '\\' or '`' or '*' or '_' or '[' or ']' or '|' or '~' or '#' or '!' => escaped.Append('\\').Append(character),
                _ => escaped.Append(character),
            };
        }

        // Otherwise addresses would become links.
        return escaped.Replace("://", "&#58;//").Replace("www.", "www&#46;").ToString();
    }

    /// <summary>From the lowest to the highest. Empty for fewer than two values.</summary>
    /// <param name="beside">The values of another line, for a common scale.</param>
    public static string Sparkline(IReadOnlyList<double> values, IReadOnlyList<double> beside)
    {
        var finite = values.Where(double.IsFinite).ToList();
        if (finite.Count < 2)
        {
            return "";
        }

        List<double> all = [.. finite, .. beside.Where(double.IsFinite)];
        var (low, high) = (all.Min(), all.Max());
        return string.Concat(values.Select(value => !double.IsFinite(value) ? Blocks[0] : Blocks[high > low ? 1 + (int)Math.Round((value - low) / (high - low) * 7) : 4]));
    }
}
