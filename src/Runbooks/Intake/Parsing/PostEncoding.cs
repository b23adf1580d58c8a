using System.Text.Unicode;

namespace Runbooks.Intake.Parsing;

/// <summary>
/// JSON is UTF-8 (RFC 8259), and not every program keeps to it: Windows PowerShell 5.1 posts the letters of its own code page. A name with
/// "\uFFFD" in it would fit no trigger, and two machines would be one.
/// </summary>
internal static class PostEncoding
{
    private static readonly Encoding s_windows1252 = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    /// <param name="charset">As the request names it; null where it names none.</param>
    /// <param name="warning">What was guessed; null for a post in UTF-8.</param>
    public static ReadOnlyMemory<byte> ToUtf8(ReadOnlyMemory<byte> post, string? charset, out AlertError? warning)
    {
        warning = null;
        if (post.Length > AlertLimits.Body || Utf8.IsValid(post.Span))
        {
            return post;
        }

        var encoding = Find(charset) ?? s_windows1252;
        warning = new("$", "not UTF-8", $"it was read as {encoding.WebName}; post UTF-8 (PowerShell: -ContentType 'application/json; charset=utf-8')");
        return Encoding.UTF8.GetBytes(encoding.GetString(post.Span));
    }

    /// <summary>ISO 8859-1 and ASCII are parts of Windows-1252, and who names one of them means that (https://encoding.spec.whatwg.org). UTF-16 is refused: it is no JSON, and half of it would look like some.</summary>
    /// <returns>Null for one that is not known, or not written on top of ASCII.</returns>
    private static Encoding? Find(string? charset) =>
        charset is not null && CodePagesEncodingProvider.Instance.GetEncoding(charset) is { } encoding && encoding.GetBytes("{").AsSpan().SequenceEqual("{"u8) ? encoding : null;
}
