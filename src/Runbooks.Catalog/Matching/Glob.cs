namespace Runbooks.Catalog.Matching;

/// <summary>
/// A pattern with <c>*</c> (any text) and <c>?</c> (one UTF-16 character), ignoring case. No backtracking, so no input makes it slow.
/// </summary>
public static class Glob
{
    private static readonly System.Buffers.SearchValues<char> s_wild = System.Buffers.SearchValues.Create("*?");

    public static bool IsExact(string pattern) => pattern.AsSpan().IndexOfAny(s_wild) < 0;

    /// <summary>More fixed characters are more specific.</summary>
    public static int Weight(string pattern) => pattern.Count(c => c is not ('*' or '?'));

    public static bool IsMatch(string pattern, string text)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0)
        {
            return text.Length == pattern.Length && StartsWith(text, pattern);
        }

        var last = pattern.LastIndexOf('*');
        var tail = pattern.AsSpan(last + 1);
        if (text.Length < star + tail.Length
            || !StartsWith(text, pattern.AsSpan(0, star))
            || !StartsWith(text.AsSpan(text.Length - tail.Length), tail))
        {
            return false;
        }

        return star == last || AreInOrder(pattern.AsSpan((star + 1)..last), text.AsSpan(star..(text.Length - tail.Length)));
    }

    private static bool AreInOrder(ReadOnlySpan<char> parts, ReadOnlySpan<char> text)
    {
        foreach (var range in parts.Split('*'))
        {
            var part = parts[range];
            while (!StartsWith(text, part))
            {
                if (text.Length <= part.Length)
                {
                    return false;
                }

                text = text[1..];
            }

            text = text[part.Length..];
        }

        return true;
    }

    private static bool StartsWith(ReadOnlySpan<char> text, ReadOnlySpan<char> part)
    {
        if (text.Length < part.Length)
        {
            return false;
        }

        for (var at = 0; at < part.Length; at++)
        {
            if (part[at] != '?' && part[at] != text[at] && char.ToUpperInvariant(part[at]) != char.ToUpperInvariant(text[at]))
            {
                return false;
            }
        }

        return true;
    }
}
