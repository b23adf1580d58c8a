namespace Runbooks.Intake.Parsing;

internal static class AlertLink
{
    /// <summary>
    /// The address in canonical form; null unless it is absolute http or https. One with a user name in it is left out
    /// too: it may carry a password, and it makes a foreign host look familiar.
    /// </summary>
    public static string? Clean(string? text) =>
        text is { Length: > 0 and <= AlertLimits.Link }
        && Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && uri.UserInfo.Length == 0
        && uri.AbsoluteUri is { Length: <= AlertLimits.Link } link
            ? link
            : null;
}
