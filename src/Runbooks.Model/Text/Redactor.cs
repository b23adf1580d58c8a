using System.Text.RegularExpressions;

namespace Runbooks.Model.Text;

/// <summary>
/// Takes secrets out of free text that others wrote: messages of exceptions, answers of outside systems. What our own
/// parameters declare secret is masked where it is known; this is for what nobody declared.
/// </summary>
public static partial class Redactor
{
    public const string Hidden = "•••";

    /// <summary>Shorter values would hide half the text.</summary>
    private const int ShortestSecret = 4;

    /// <param name="secrets">Values that are known to be secret, hidden wherever they stand.</param>
    public static string Redact(string text, IEnumerable<string>? secrets = null)
    {
        foreach (var secret in secrets ?? [])
        {
            if (secret.Length >= ShortestSecret)
            {
                text = text.Replace(secret, Hidden, StringComparison.Ordinal)
                    .Replace(Uri.EscapeDataString(secret), Hidden, StringComparison.Ordinal);
            }
        }

        // Nearly every text is harmless, and a look for one character costs next to nothing.
        text = text.Contains('@') ? UserInfo().Replace(text, $"$1{Hidden}@") : text;
        text = text.Contains(' ') ? Scheme().Replace(text, $"$1 {Hidden}") : text;
        text = text.Contains("eyJ", StringComparison.Ordinal) ? WebToken().Replace(text, Hidden) : text;
        text = text.Contains('"') ? JsonField().Replace(text, $"$1\"{Hidden}\"") : text;
        return text.AsSpan().ContainsAny('=', ':') ? Named().Replace(Query().Replace(text, $"$1{Hidden}"), $"$1{Hidden}") : text;
    }

    /// <summary>An exception fit for the log: its type, its stack and its message without secrets.</summary>
    public static Exception Redact(Exception failure, IEnumerable<string>? secrets = null) => new RedactedException(Redact(failure.ToString(), secrets));

    /// <summary>https://user:password@host</summary>
    [GeneratedRegex(@"([a-z][a-z0-9+.-]*://)[^/\s@""'<>]+@", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex UserInfo();

    /// <summary>Authorization: Bearer …</summary>
    [GeneratedRegex(@"\b(Bearer|Basic|SharedKey|SharedAccessSignature)\s+[A-Za-z0-9._~+/=:%&-]{8,}", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Scheme();

    /// <summary>A JSON Web Token, wherever it stands.</summary>
    [GeneratedRegex(@"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)?", RegexOptions.NonBacktracking)]
    private static partial Regex WebToken();

    /// <summary>"password": "…"</summary>
    [GeneratedRegex(@"(""[^""\s]*(?:password|passwd|secret|token|apikey|api_key|api-key|accesskey|connectionstring|authorization|credential)[^""\s]*""\s*:\s*)""[^""]*""", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex JsonField();

    /// <summary>?sig=…&amp;code=…</summary>
    [GeneratedRegex(@"([?&](?:sig|signature|code|key|token|access_token|refresh_token|id_token|apikey|api_key|api-key|subscription-key|secret|client_secret|password)=)[^\s&;,""'<>)]+", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Query();

    /// <summary>AccountKey=…; password: …</summary>
    [GeneratedRegex(@"(\b(?:access_token|refresh_token|id_token|apikey|api_key|api-key|accountkey|sharedaccesskey|sharedaccesssignature|client_secret|secret|password|passwd|pwd)\s*[=:]\s*)[^\s&;,""'<>)]+", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Named();
}

/// <summary>Carries no inner exception: that would bring the secret back.</summary>
internal sealed class RedactedException(string text) : Exception(text.Split('\n')[0].TrimEnd())
{
    public override string ToString() => text;
}
