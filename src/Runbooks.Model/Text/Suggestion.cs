namespace Runbooks.Model.Text;

/// <summary>Finds what a misspelt name probably meant.</summary>
public static class Suggestion
{
    // Longer words take quadratic time and are not typing mistakes.
    private const int LongestWord = 60;

    /// <returns><c>Did you mean 'x'? </c> with a blank at the end, or nothing.</returns>
    public static string For(string written, IEnumerable<string> known) =>
        Closest(written, known) is { } name ? $"Did you mean '{name}'? " : "";

    public static string? Closest(string written, IEnumerable<string> known)
    {
        if (written.Length is 0 or > LongestWord)
        {
            return null;
        }

        var best = known
            .Where(name => name.Length <= LongestWord)
            .Select(name => (Name: name, Distance: Distance(written, name)))
            .OrderBy(candidate => candidate.Distance)
            .FirstOrDefault((Name: "", Distance: int.MaxValue));
        return best.Distance <= Math.Max(1, written.Length / 3) ? best.Name : null;
    }

    /// <summary>Edits between two words, ignoring case. Swapped neighbours are one edit.</summary>
    private static int Distance(string left, string right)
    {
        var (a, b) = (left.ToUpperInvariant(), right.ToUpperInvariant());
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                rows[i, j] = (i, j) switch
                {
                    (0, _) => j,
                    (_, 0) => i,
                    _ => Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)),
                };
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}
