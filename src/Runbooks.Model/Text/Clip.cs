namespace Runbooks.Model.Text;

/// <summary>Shortens text from outside before it is shown or kept.</summary>
public static class Clip
{
    /// <summary>Cuts to this many UTF-16 units, the "…" included. What a reader sees as one character is kept or left out as a whole.</summary>
    public static string To(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        var end = 0;
        while (end + StringInfo.GetNextTextElementLength(text.AsSpan(end)) is var next && next < length)
        {
            end = next;
        }

        return string.Concat(text.AsSpan(0, end), "…");
    }

    /// <summary>As <see cref="To"/>, and of what is shortened the end stays too: the end of an address says what is done there.</summary>
    public static string Middle(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        var end = text.AsSpan(text.Length - (length / 2));
        return string.Concat(To(text, length - (length / 2)), char.IsLowSurrogate(end[0]) ? end[1..] : end);
    }
}
