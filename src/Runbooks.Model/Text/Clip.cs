namespace Runbooks.Model.Text;

/// <summary>Shortens text from outside before it goes into a message.</summary>
internal static class Clip
{
    public static string To(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        // Half of a surrogate pair is not text any more.
        var end = char.IsHighSurrogate(text[length - 2]) ? length - 2 : length - 1;
        return string.Concat(text.AsSpan(0, end), "…");
    }
}
