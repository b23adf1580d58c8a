using System.Buffers;
using System.Text.RegularExpressions;

namespace Runbooks.Model.Text;

/// <summary>
/// Hides secrets in free text by others: alerts, logs, exceptions, answers of outside systems. It recognizes them by name, by place (a
/// header, an address) and by shape (<see cref="SecretFormats"/>).
/// </summary>
public static partial class Redactor
{
    public const string Hidden = "•••";

    /// <summary>In characters. Hiding shorter values would hide half the text.</summary>
    private const int ShortestSecret = 4;

    /// <summary>Ends a value in an address. Brackets may be part of it.</summary>
    private const string QueryEnds = "&;,\"'<>)\\";

    /// <summary>Ends a value without quotation marks, besides blanks.</summary>
    private const string WordEnds = "&;,\"'<>)]}\\";

    /// <summary>The end of a secret's name, so 'max_tokens' and 'secretName' do not match.</summary>
    private const string Names =
        "passwords?|passwd|passphrase|pwd|secrets?|credentials?"
        + "|(?:access|account|api|subscription|functions?|host|master|primary|secondary|private|signing|encryption|routing|integration"
        + "|webhook|storage|admin|service|auth|sharedaccess|shared_access|secret|jwt|session|cookie|salt|fernet|hmac)[_.-]?keys?(?:_base)?"
        + "|(?:openai|anthropic|cohere|mistral|groq|gemini)[_.-]?keys?"
        + "|(?:db|database|smtp|e?mail|mysql|pg|postgres|redis|mongo|amqp|rabbitmq|ldap|s?ftp|proxy|user|root|admin|default|auth|http"
        + "|client|login|sasl)[_.-]pass|(?-i:_PASS)"
        + "|neo4j_auth|token|authorization|connection[_.-]?string|conn[_.-]?str|api[_.-]?key|x-functions-key|ocp-apim-subscription-key";

    /// <summary>Only a value with the shape of a key is hidden, since settings have such names too.</summary>
    private const string KeyNames = @"key\d?|[_:]auth|\b(?:\w+_)?pat|(?-i:(?:KEY|TOKEN|SECRET|CREDENTIALS?)_[A-Z0-9_]+)"
        + "|(?<pass>(?-i:(?:PASSWORD|PASSWD|PASSPHRASE)_[A-Z0-9_]+|[a-z]Pass))";

    /// <summary>A quotation mark: plain, escaped, or as HTML, JSON and URLs write it.</summary>
    private const string Quote = @"(?:\\*[""'`]|&(?:quot|apos|\#0?3[49]);|\\+u002[27]|%2[27])";

    private static readonly SearchValues<string> s_words = SearchValues.Create(
        [
            "pass", "pwd", "secret", "credential", "key", "token", "signature", "conn", "sig=", "code=", "auth", "cookie", "bearer",
            "basic ", "sharedkey", "%3d", "curl ", "pat=", "pat:", "pat\"", "_pat", "mysql", "mariadb", "redis-cli",
        ],
        StringComparison.OrdinalIgnoreCase);

    /// <param name="secrets">Hidden everywhere.</param>
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

        // Nearly every text is harmless, and looking for a few words is cheap.
        text = SecretFormats.HidePrivateKeys(text);
        text = text.Contains('@') ? UserInfo().Replace(text, $"$1{Hidden}@") : text;
        text = text.AsSpan().ContainsAny(s_words) ? HideNamed(text) : text;
        return SecretFormats.Hide(text);
    }

    public static Exception Redact(Exception failure, IEnumerable<string>? secrets = null) =>
        new RedactedException(Redact(failure.ToString(), secrets));

    /// <summary>Also hides a value whose name is on the line before.</summary>
    public static string RedactLine(string before, string line) =>
        IsNamedBefore(before, line) && Redact($"{before}\n{line}").Split('\n') is [_, var redacted] ? redacted : Redact(line);

    /// <returns>True if a line begins a private key, which has many lines, false if it ends one, otherwise null.</returns>
    public static bool? BeginsPrivateKey(string line) =>
        !line.Contains("-----", StringComparison.Ordinal) || !line.Contains("PRIVATE KEY", StringComparison.Ordinal) ? null
        : line.Contains("-----END", StringComparison.Ordinal) ? false
        : line.Contains("-----BEGIN", StringComparison.Ordinal) ? true : null;

    private static string HideNamed(string text)
    {
        text = HideUnless(text, Scheme(), found => SecretValues.IsProse(found.Groups[1].Value, found.Groups[2].Value), between: " ");
        text = Header().Replace(text, $"$1$2{Hidden}");
        if (text.Contains("authorization", StringComparison.OrdinalIgnoreCase))
        {
            text = HideUnless(text, OtherScheme(), found => !SecretValues.IsCredential(found.Groups[2].Value));
        }

        text = HideValues(text, Query(), ends: QueryEnds);
        text = Element().Replace(text, $"$1{Hidden}");
        text = Option().Replace(text, $"$1{Hidden}");
        text = Curl().Replace(text, $"$1{Hidden}");
        text = SshPass().Replace(text, $"$1{Hidden}");
        text = HideUnless(text, MySql(), found => SecretValues.IsPort(found.ValueSpan[found.Groups[1].Length..]));
        text = HideValues(text, NamedValue());
        text = HideValues(text, Assignment());
        return HideValues(text, KeyAssignment(), (found, value) =>
            found.Groups["pass"] is { Success: true } pass ? SecretValues.IsPassword(pass.Value, value) : SecretFormats.IsKey(value));
    }

    private static string HideUnless(string text, Regex found, Func<Match, bool> isHarmless, string between = "") =>
        found.Replace(text, match => isHarmless(match) ? match.Value : $"{match.Groups[1].Value}{between}{Hidden}");

    /// <summary>
    /// If the match has a name, only a value that looks secret under that name. A quoted value ends at its mark or with the line, another
    /// with the word.
    /// </summary>
    /// <param name="isSecret">Decides by the value instead of the name.</param>
    internal static string HideValues(string text, Regex names, Func<Match, string, bool>? isSecret = null, string ends = WordEnds)
    {
        StringBuilder? hidden = null;
        var (kept, at) = (0, 0);
        while (at < text.Length && names.Match(text, at) is { Success: true } found)
        {
            var quote = found.Groups["quote"].Value;
            var start = found.Index + found.Length;
            var length = quote.Length > 0 ? LengthWithin(text.AsSpan(start), quote) : LengthOfWord(text.AsSpan(start), ends);
            if (quote.Length == 0 && length == 0 && found.Groups["sign"] is { Success: true } mark)
            {
                // What looks like a tag is the value if nothing follows it: password: !hunter2
                start = mark.Index + mark.Length;
                length = LengthOfWord(text.AsSpan(start), ends);
            }

            if (quote.Length == 0 && length == 0)
            {
                at = found.Index + 1;
                continue;
            }

            at = start + length;
            var value = text.Substring(start, length);
            if (isSecret is not null ? isSecret(found, value) : IsSecretByName(found, value, text.AsSpan(at)))
            {
                hidden = (hidden ?? new()).Append(text, kept, start - kept).Append(Hidden);
                kept = at;
            }
        }

        return hidden is null ? text : hidden.Append(text, kept, text.Length - kept).ToString();
    }

    private static bool IsSecretByName(Match found, string value, ReadOnlySpan<char> rest)
    {
        var name = found.Groups["name"].Value;
        return name.Length == 0 || (found.Groups["quote"].Length > 0
            ? SecretValues.IsSecretInQuotes(name, value)
            : SecretValues.IsSecret(name, found.Groups["sign"].Value, value, rest));
    }

    /// <summary>- name: DB_PASSWORD, and "value": … on the next line; password: |, and the text on the next line.</summary>
    private static bool IsNamedBefore(string before, string line) =>
        line.AsSpan().TrimStart(" \t\"'\\").StartsWith("value", StringComparison.OrdinalIgnoreCase)
        || before.AsSpan().TrimEnd() is [.., '|' or '>'] or [.., '|' or '>', '-' or '+'];

    private static int LengthWithin(ReadOnlySpan<char> text, string quote)
    {
        var at = 0;
        while (at < text.Length && text[at] is not ('\r' or '\n') && !text[at..].StartsWith(quote, StringComparison.OrdinalIgnoreCase))
        {
            at += text[at] == '\\' && at + 1 < text.Length && text[at + 1] is not ('\r' or '\n') ? 2 : 1;
        }

        return at;
    }

    private static int LengthOfWord(ReadOnlySpan<char> text, string ends)
    {
        var at = 0;
        while (at < text.Length && !char.IsWhiteSpace(text[at]) && !ends.Contains(text[at]))
        {
            at++;
        }

        return at;
    }

    // Strangers write the text that these expressions read. NonBacktracking keeps the time proportional to its length.
    private const RegexOptions Linear = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private const RegexOptions AnyCase = Linear | RegexOptions.IgnoreCase;

    /// <summary>https://user:password@host, to the last @ before the path, since clients accept passwords with an @.</summary>
    [GeneratedRegex(@"([a-z][a-z0-9+.-]*://)[^/\s""'<>]+@", AnyCase)]
    private static partial Regex UserInfo();

    /// <summary>Authorization: Bearer …</summary>
    [GeneratedRegex(@"\b(Bearer|Basic|api[_-]?key|SharedKey|SharedKeyLite|SharedAccessSignature)\s+([A-Za-z0-9._~+/=:%&-]{8,})", AnyCase)]
    private static partial Regex Scheme();

    /// <summary>Headers whose whole value is secret: Cookie: a=b; c=d</summary>
    [GeneratedRegex(
        @"(\bcookie\\*[""']?\s*[:=]\s*\\*[""']?)[^•\s=;""'\\][^\s=;""'\\]*=[^\r\n""'\\]*"
        + @"|(\bauthorization\\*[""']?\s*[:=]\s*\\*[""']?(?:Bearer|Basic|SharedKey(?:Lite)?|Digest|Negotiate|AWS4-HMAC-SHA256|ApiKey|Token)\s+)[^•\r\n""'\\][^\r\n""'\\]*",
        AnyCase)]
    private static partial Regex Header();

    /// <summary>Authorization: GenieKey …, for any other scheme.</summary>
    [GeneratedRegex(@"(\bauthorization\\*[""']?\s*[:=]\s*\\*[""']?(?-i:[A-Z])[a-z-]*[ \t]+)([^•\s""'\\,;/][^\s""'\\,;]{15,})", AnyCase)]
    private static partial Regex OtherScheme();

    /// <summary>?sig=…&amp;code=…, also as HTML and JSON write it.</summary>
    [GeneratedRegex(
        @"(?:[?&](?:amp;)?|\\+u0026)"
        + "(?:sig|signature|code|key|[a-z_-]*token|api-?_?key|subscription-key|[a-z_-]*secret|password|pwd|x-amz-signature"
        + "|x-goog-signature)(?:=|%3D)",
        AnyCase)]
    private static partial Regex Query();

    /// <summary>&lt;password&gt;…&lt;/password&gt;, &lt;entry name="db.password"&gt;…&lt;/entry&gt;</summary>
    [GeneratedRegex(
        "(<[a-z:]*(?:password|secret|token|apikey|accesskey)>"
        + @"|<[a-z:]+\s[^<>]*\b(?:name|key|id)=[""'][^""'<>]*(?:password|secret|token|api[_.-]?key|access[_.-]?key)[""']"
        + @"(?:[^<>]*[^<>/])?>)[^<\s][^<]*",
        AnyCase)]
    private static partial Regex Element();

    /// <summary>--token …, --db-password '…'</summary>
    [GeneratedRegex(@"(--[a-z-]*(?:password|passwd|secret|token|api-key|access-key|account-key)[ \t]+)(?:""[^""]*""|'[^']*'|[^\s""'-][^\s""']*)", AnyCase)]
    private static partial Regex Option();

    /// <summary>curl -u user:password</summary>
    [GeneratedRegex(@"(\bcurl\b[^\r\n]*?[ \t](?:-u|--user|--proxy-user)[ =]?[""']?[^\s:""']+:)[^\s""']+", AnyCase)]
    private static partial Regex Curl();

    /// <summary>sshpass -p password, redis-cli -h cache -a password</summary>
    [GeneratedRegex(@"(\b(?:sshpass[ \t]+-p[ \t]*|redis-cli[ \t](?:[^\r\n|;&]*?[ \t])?-a[ \t]+)[""']?)[^\s""']+", AnyCase)]
    private static partial Regex SshPass();

    /// <summary>mysql -ppassword</summary>
    [GeneratedRegex(@"(\b(?:mysql|mysqldump|mysqladmin|mariadb)[ \t](?:[^\r\n]*?[ \t])?-p[""']?)[^\s""']+", Linear)]
    private static partial Regex MySql();

    /// <summary>
    /// AZURE_SEARCH_KEY=…, "key1": "…", pat=…, ('api-key', '…'), prose (the password is now …), and 'pass'. A colon after pass counts only
    /// where a name can begin, because of: tests pass: TestHttp2.
    /// </summary>
    [GeneratedRegex(
        "(?:" + KeyNames + ")" + Quote + @"?\s*(?:=>|:=|[=:])\s*(?<quote>" + Quote + ")?"
        + "|(?:key|token|secret|authorization)" + Quote + @"\s*,\s*b?(?<quote>" + Quote + ")"
        + @"|\b(?<pass>pass)" + Quote + @"?\s*(?:=>|:=|=)\s*(?<quote>" + Quote + ")?"
        + @"|(?:(?m:^)[ \t]*(?:-[ \t]+)?|[{,(;]\s*|[""'`]|u002[27]|%2[27])(?<pass>(?-i:[Pp]ass))" + Quote + @"?\s*:\s*"
        + "(?<quote>" + Quote + ")?"
        + @"|\b(?<pass>(?:password|passphrase)\s+(?:is|was)\s+(?:now\s+)?|(?:requirepass|masterauth)[ \t]+)(?<quote>" + Quote + ")?",
        AnyCase)]
    private static partial Regex KeyAssignment();

    /// <summary>
    /// A secret beside its name: {"name":"DB_PASSWORD","value":"…"}, - name: DB_PASSWORD with a value below it, &lt;add key="ApiKey"
    /// value="…"/&gt;.
    /// </summary>
    [GeneratedRegex(
        @"\b(?:name|key)" + Quote + @"?\s*[:=]\s*" + Quote + @"?[\w.-]*(?<name>" + Names + ")" + Quote + @"?\s*,?\s*"
        + Quote + "?value" + Quote + @"?(?<sign>\s*[:=]\s*)(?<quote>" + Quote + ")?",
        AnyCase)]
    private static partial Regex NamedValue();

    /// <summary>
    /// password="…", 'DB_PASSWORD': '…', db_password: …, AccountKey=…;, and the same in JSON inside a string (\"password\":\"…\"). A quoted
    /// value ends at the same kind of quote, or with the line.
    /// </summary>
    [GeneratedRegex(
        @"(?<name>" + Names + @")(?:[_-]?(?:value|text|base64|b64|hash|\d{1,2}))?" + Quote + @"?(?<sign>\s*(?:=>|:=|[=:]|%3[AD])\s*)"
        // A list; a tag, or a text that begins on the next line.
        + @"(?:\[\s*(?<quote>" + Quote + @")|(?:!!?\w*[ \t]+)?(?:[|>][+-]?\d?[ \t]*\r?\n[ \t]+)?(?<quote>" + Quote + ")?)",
        AnyCase)]
    private static partial Regex Assignment();
}

/// <summary>Without the inner exception, which would bring the secret back.</summary>
internal sealed class RedactedException(string text) : Exception(text.Split('\n')[0].TrimEnd())
{
    public override string ToString() => text;
}
