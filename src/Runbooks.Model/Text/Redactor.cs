using System.Buffers;
using System.Text.RegularExpressions;

namespace Runbooks.Model.Text;

/// <summary>
/// Takes secrets out of free text that others wrote: alerts, logs, messages of exceptions, answers of outside systems. What
/// our own parameters declare secret is masked where it is known; this is for what nobody declared. It goes by what a value
/// is called, by where it stands (a header, an address), and by its own shape (<see cref="SecretFormats"/>).
/// </summary>
public static partial class Redactor
{
    public const string Hidden = "•••";

    /// <summary>Shorter values would hide half the text.</summary>
    private const int ShortestSecret = 4;

    private const int LongestWord = 24;

    /// <summary>What comes before a value that is a secret: the end of its name, so 'max_tokens' and 'secretName' are none.</summary>
    private const string Names =
        "passwords?|passwd|passphrase|pwd|secrets?|credentials?|(?:access|account|api|subscription|functions?|host|master|primary|secondary|private|signing|encryption|routing|integration|webhook|storage|admin|service|auth|sharedaccess|shared_access)[_.-]?keys?"
        + "|(?<=(?:db|database|smtp|e?mail|mysql|pg|postgres|redis|mongo|amqp|rabbitmq|ldap|s?ftp|proxy|user|root|admin)[_.-])pass|token|authorization|connection[_.-]?string|conn[_.-]?str|api[_.-]?key|x-functions-key|ocp-apim-subscription-key";

    /// <summary>A quotation mark as it is, escaped, or as HTML, JSON and URLs write it.</summary>
    private const string Quote = @"(?:\\*[""'`]|&(?:quot|apos|\#0?3[49]);|\\+u002[27]|%2[27])";

    /// <summary>Up to the mark that began it, or to the end of the line; without one, up to what ends a word.</summary>
    private const string Value =
        "(?:(?<quote>" + Quote + @")(?<value>(?:(?!\k<quote>)(?:\\.|[^\r\n]))*)(?<end>(?:\k<quote>)?)|(?<value>[^\s&;,""'<>)\]}\\]+)(?=(?<more>[ \t]+\w)?))";

    private static readonly SearchValues<string> s_words = SearchValues.Create(
        ["passw", "passp", "sshpass", "_pass", ".pass", "-pass", "pwd", "secret", "credential", "key", "token", "signature", "conn", "sig=", "code=", "auth", "cookie", "bearer", "basic ", "sharedkey", "%3d", "curl "], StringComparison.OrdinalIgnoreCase);

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

        // Nearly every text is harmless, and a look for a few words costs next to nothing.
        text = text.Contains("-----BEGIN", StringComparison.Ordinal) ? PrivateKey().Replace(text, $"$1{Hidden}") : text;
        text = text.Contains('@') ? UserInfo().Replace(text, $"$1{Hidden}@") : text;
        if (text.AsSpan().ContainsAny(s_words))
        {
            text = Scheme().Replace(text, match => IsWord(match.Groups[2].Value) ? match.Value : $"{match.Groups[1].Value} {Hidden}");
            text = Header().Replace(text, $"$1{Hidden}");
            text = Query().Replace(text, $"$1{Hidden}");
            text = Element().Replace(text, $"$1{Hidden}");
            text = Option().Replace(text, $"$1{Hidden}");
            text = Login().Replace(text, $"$1{Hidden}");
            text = NamedValue().Replace(text, Assigned);
            text = Assignment().Replace(text, Assigned);
        }

        return SecretFormats.Hide(text, Hidden);
    }

    /// <summary>An exception fit for the log: its type, its stack and its message without secrets.</summary>
    public static Exception Redact(Exception failure, IEnumerable<string>? secrets = null) => new RedactedException(Redact(failure.ToString(), secrets));

    /// <returns>Whether a line begins or ends a private key, which goes over many; null when it does neither.</returns>
    public static bool? BeginsPrivateKey(string line) =>
        !line.Contains("-----", StringComparison.Ordinal) || !line.Contains("PRIVATE KEY", StringComparison.Ordinal) ? null
        : line.Contains("-----END", StringComparison.Ordinal) ? false
        : line.Contains("-----BEGIN", StringComparison.Ordinal) ? true : null;

    private static string Assigned(Match match)
    {
        var (quote, value) = (match.Groups["quote"].Value, match.Groups["value"].Value);
        var name = match.Groups["name"].Value;
        var isSecret = !IsNothing(value) && (quote.Length > 0
            ? !IsMeasure(name, value) && !IsReference(name, value)
            : LooksSecret(name, match.Groups["sign"].Value, value, match.Groups["more"].Success));
        return isSecret ? $"{match.Groups["before"].Value}{quote}{Hidden}{match.Groups["end"].Value}" : match.Value;
    }

    private static bool IsNothing(string value) =>
        value is "true" or "false" or "null" or "none" or "None" or "nil" or "undefined" or "YES" or "NO" or "yes" or "no"
        || value.StartsWith(Hidden, StringComparison.Ordinal) || !value.Any(char.IsLetterOrDigit)

        // <your key>, (hidden): what stands where a value would.
        || value is ['<', .., '>'] || (value is ['(', ..] && IsWord(value));

    private static bool MayBeAnything(string name) => name.StartsWith("pass", StringComparison.OrdinalIgnoreCase) || name.StartsWith("secret", StringComparison.OrdinalIgnoreCase);

    /// <summary>"time_per_token": "31.2ms"</summary>
    private static bool IsMeasure(string name, string value) =>
        !MayBeAnything(name) && value.TrimEnd('m', 's', 'k', 'B', '%', ' ', '/') is { Length: > 0 and < 8 } number && number.All(character => char.IsAsciiDigit(character) || character is '.' or ',');

    /// <summary>A Kubernetes object by namespace and name: secret="inference/registry-pull"</summary>
    private static bool IsReference(string name, string value) => name.StartsWith("secret", StringComparison.OrdinalIgnoreCase) && value.Contains('/') && char.IsAsciiLetterLower(value[0]) && IsWord(value);

    /// <summary>Without quotes it may be prose: 'token: expired', 'wrong password: try again', 'token: 512'.</summary>
    private static bool LooksSecret(string name, string sign, string value, bool goesOn)
    {
        var isAnything = MayBeAnything(name);
        return name.StartsWith("pwd", StringComparison.OrdinalIgnoreCase) ? value[0] is not ('/' or '~')
            : !isAnything && value.All(character => char.IsAsciiDigit(character) || character is '.' or ',') ? false
            // token = tokens[index], authorization=allow
            : !isAnything && value.Contains('[') ? false
            : sign.Contains('=') && !(name.StartsWith("authorization", StringComparison.OrdinalIgnoreCase) && IsWord(value)) ? true
            : IsWord(value) ? value.Length >= LongestWord || isAnything && !goesOn
            : isAnything || value.Length >= 6;
    }

    /// <summary>Letters of one kind with what joins words; a name such as 'inference-tls' too.</summary>
    private static bool IsWord(string value) => value[1..].All(character => char.IsAsciiLetterLower(character) || character is '-' or '_' or '/' or '.' or ':' or '!');

    /// <summary>-----BEGIN RSA PRIVATE KEY-----, to its end or to the end of the text.</summary>
    [GeneratedRegex(@"(-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)(?:(?!-----END)[\s\S])*(?:-----END [A-Z0-9 ]*-----)?")]
    private static partial Regex PrivateKey();

    /// <summary>https://user:password@host</summary>
    [GeneratedRegex(@"([a-z][a-z0-9+.-]*://)[^/\s@""'<>]+@", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex UserInfo();

    /// <summary>Authorization: Bearer …</summary>
    [GeneratedRegex(@"\b(Bearer|Basic|SharedKey|SharedKeyLite|SharedAccessSignature)\s+([A-Za-z0-9._~+/=:%&-]{8,})", RegexOptions.IgnoreCase)]
    private static partial Regex Scheme();

    /// <summary>Headers of which all that follows is secret: Cookie: a=b; c=d</summary>
    [GeneratedRegex(
        @"(\bcookie\\*[""']?\s*[:=]\s*\\*[""']?(?=[^\s=;""'\\]+=)|\bauthorization\\*[""']?\s*[:=]\s*\\*[""']?(?:Bearer|Basic|SharedKey(?:Lite)?|Digest|Negotiate|AWS4-HMAC-SHA256|ApiKey|Token)\s+)(?!•)[^\r\n""'\\]+",
        RegexOptions.IgnoreCase)]
    private static partial Regex Header();

    /// <summary>?sig=…&amp;code=…</summary>
    [GeneratedRegex(@"([?&](?:amp;)?(?:sig|signature|code|key|[a-z_-]*token|api-?_?key|subscription-key|[a-z_-]*secret|password|pwd|x-amz-signature|x-goog-signature)(?:=|%3D))[^\s&;,""'<>)\\]+", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Query();

    /// <summary>&lt;password&gt;…&lt;/password&gt;, &lt;entry name="db.password"&gt;…&lt;/entry&gt;</summary>
    [GeneratedRegex(@"(<[a-z:]*(?:password|secret|token|apikey|accesskey)>|<[a-z:]{1,40}\s[^<>]{0,100}\b(?:name|key|id)=[""'][^""'<>]{0,60}(?:password|secret|token|api[_.-]?key|access[_.-]?key)[""'][^<>]{0,100}(?<!/)>)[^<\s][^<]*", RegexOptions.IgnoreCase)]
    private static partial Regex Element();

    /// <summary>--token …, --db-password '…'</summary>
    [GeneratedRegex(@"(--[a-z-]{0,40}(?:password|passwd|secret|token|api-key|access-key|account-key)[ \t]+)(?:""[^""]*""|'[^']*'|[^\s""'-][^\s""']*)", RegexOptions.IgnoreCase)]
    private static partial Regex Option();

    /// <summary>curl -u user:password, sshpass -p password</summary>
    [GeneratedRegex(@"(\bcurl\b[^\r\n]{0,200}?[ \t](?:-u|--user|--proxy-user)[ =]?[""']?[^\s:""']{1,100}:|\bsshpass[ \t]+-p[ \t]*[""']?)[^\s""']+", RegexOptions.IgnoreCase)]
    private static partial Regex Login();

    /// <summary>A secret beside its name: {"name":"DB_PASSWORD","value":"…"}, - name: DB_PASSWORD with a value below it, &lt;add key="ApiKey" value="…"/&gt;.</summary>
    [GeneratedRegex(
        @"(?<before>\b(?:name|key)" + Quote + @"?\s*[:=]\s*" + Quote + @"?[\w.-]{0,60}(?<name>" + Names + ")" + Quote + @"?\s*,?\s*" + Quote + @"?value" + Quote + @"?(?<sign>\s*[:=]\s*))" + Value,
        RegexOptions.IgnoreCase)]
    private static partial Regex NamedValue();

    /// <summary>
    /// password="…", 'DB_PASSWORD': '…', db_password: …, AccountKey=…;, and the same inside of a JSON text that is itself text
    /// (\"password\":\"…\"). A quoted value ends at the quote that began it, escaped in the same way, or with the line.
    /// </summary>
    [GeneratedRegex(
        @"(?<before>(?<name>" + Names + @")(?:[_-]?(?:value|text|base64|b64|hash|\d{1,2}))?" + Quote + @"?(?<sign>\s*(?:=>|:=|[=:]|%3[AD])\s*)"
        // A list, a tag, a text that begins on the next line.
        + @"(?:\[\s*(?=" + Quote + @"))?(?:!!?\w*[ \t]+)?(?:[|>][+-]?\d?[ \t]*\r?\n[ \t]+)?)" + Value,
        RegexOptions.IgnoreCase)]
    private static partial Regex Assignment();
}

/// <summary>Carries no inner exception: that would bring the secret back.</summary>
internal sealed class RedactedException(string text) : Exception(text.Split('\n')[0].TrimEnd())
{
    public override string ToString() => text;
}
