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

    /// <summary>What ends a value in an address: brackets may be part of it.</summary>
    private const string QueryEnds = "&;,\"'<>)\\";

    /// <summary>What a value without quotation marks ends at, besides blanks.</summary>
    private const string WordEnds = "&;,\"'<>)]}\\";

    /// <summary>What comes before a value that is a secret: the end of its name, so 'max_tokens' and 'secretName' are none.</summary>
    private const string Names =
        "passwords?|passwd|passphrase|pwd|secrets?|credentials?|(?:access|account|api|subscription|functions?|host|master|primary|secondary|private|signing|encryption|routing|integration|webhook|storage|admin|service|auth|sharedaccess|shared_access|secret|jwt|session|cookie|salt|fernet|hmac)[_.-]?keys?(?:_base)?"
        + "|(?:openai|anthropic|cohere|mistral|groq|gemini)[_.-]?keys?|(?:db|database|smtp|e?mail|mysql|pg|postgres|redis|mongo|amqp|rabbitmq|ldap|s?ftp|proxy|user|root|admin|default|auth|http|client|login|sasl)[_.-]pass|(?-i:_PASS)|neo4j_auth|token|authorization|connection[_.-]?string|conn[_.-]?str|api[_.-]?key|x-functions-key|ocp-apim-subscription-key";

    /// <summary>Names that keys have and other things too, as names of settings with a word behind it have: a value that has the shape of a key is one.</summary>
    private const string KeyNames = @"key\d?|[_:]auth|\b(?:\w+_)?pat|(?-i:(?:KEY|TOKEN|SECRET|CREDENTIALS?)_[A-Z0-9_]+)|(?<pass>(?-i:(?:PASSWORD|PASSWD|PASSPHRASE)_[A-Z0-9_]+|[a-z]Pass))";

    /// <summary>The shortest key that a service gives out.</summary>
    internal const int ShortestKey = 16;

    /// <summary>A quotation mark as it is, escaped, or as HTML, JSON and URLs write it.</summary>
    private const string Quote = @"(?:\\*[""'`]|&(?:quot|apos|\#0?3[49]);|\\+u002[27]|%2[27])";

    private static readonly SearchValues<string> s_words = SearchValues.Create(
        ["pass", "pwd", "secret", "credential", "key", "token", "signature", "conn", "sig=", "code=", "auth", "cookie", "bearer", "basic ", "sharedkey", "%3d", "curl ", "pat=", "pat:", "pat\"", "_pat", "mysql", "mariadb", "redis-cli"], StringComparison.OrdinalIgnoreCase);

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
        text = SecretFormats.HidePrivateKeys(text);
        text = text.Contains('@') ? UserInfo().Replace(text, $"$1{Hidden}@") : text;
        if (text.AsSpan().ContainsAny(s_words))
        {
            text = Scheme().Replace(text, match => IsWord(match.Groups[2].Value) || (match.Groups[1].Value.StartsWith("api", StringComparison.OrdinalIgnoreCase) && !match.Groups[2].Value.Any(char.IsAsciiDigit)) ? match.Value : $"{match.Groups[1].Value} {Hidden}");
            text = Header().Replace(text, $"$1$2{Hidden}");
            text = text.Contains("authorization", StringComparison.OrdinalIgnoreCase) ? OtherScheme().Replace(text, match => IsCredential(match.Groups[2].Value) ? $"{match.Groups[1].Value}{Hidden}" : match.Value) : text;
            text = HideValues(text, Query(), ends: QueryEnds);
            text = Element().Replace(text, $"$1{Hidden}");
            text = Option().Replace(text, $"$1{Hidden}");
            text = Curl().Replace(text, $"$1{Hidden}");
            text = SshPass().Replace(text, $"$1{Hidden}");
            text = MySql().Replace(text, match => IsPort(match.ValueSpan[match.Groups[1].Length..]) ? match.Value : $"{match.Groups[1].Value}{Hidden}");
            text = HideValues(text, NamedValue());
            text = HideValues(text, Assignment());
            text = HideValues(text, KeyAssignment(), (found, value) => found.Groups["pass"] is { Success: true } pass ? IsPassword(pass.Value, value) : IsKey(value));
        }

        return SecretFormats.Hide(text);
    }

    /// <summary>An exception fit for the log: its type, its stack and its message without secrets.</summary>
    public static Exception Redact(Exception failure, IEnumerable<string>? secrets = null) => new RedactedException(Redact(failure.ToString(), secrets));

    /// <summary>A line of a text that is read line by line: what has its name on the line before it is hidden too.</summary>
    public static string RedactLine(string before, string line) =>
        IsNamedBefore(before, line) && Redact($"{before}\n{line}").Split('\n') is [_, var redacted] ? redacted : Redact(line);

    /// <returns>Whether a line begins or ends a private key, which goes over many; null when it does neither.</returns>
    public static bool? BeginsPrivateKey(string line) =>
        !line.Contains("-----", StringComparison.Ordinal) || !line.Contains("PRIVATE KEY", StringComparison.Ordinal) ? null
        : line.Contains("-----END", StringComparison.Ordinal) ? false
        : line.Contains("-----BEGIN", StringComparison.Ordinal) ? true : null;

    /// <summary>Hides what stands behind each place that the expression finds, and where it gives a name, only what looks secret under that name: up to the mark that began it or the end of the line; without a mark, up to what ends a word.</summary>
    /// <param name="isSecret">Where it is the value alone that tells.</param>
    internal static string HideValues(string text, Regex names, Func<Match, string, bool>? isSecret = null, string ends = WordEnds)
    {
        StringBuilder? hidden = null;
        var (kept, at) = (0, 0);
        while (at < text.Length && names.Match(text, at) is { Success: true } found)
        {
            var (name, sign, quote) = (found.Groups["name"].Value, found.Groups["sign"].Value, found.Groups["quote"].Value);
            var start = found.Index + found.Length;
            var length = quote.Length > 0 ? LengthWithin(text.AsSpan(start), quote) : LengthOfWord(text.AsSpan(start), ends);
            if (quote.Length == 0 && length == 0 && found.Groups["sign"] is { Success: true } mark)
            {
                // What looks like a tag is the value where nothing follows it: password: !hunter2
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
            if (isSecret is not null ? isSecret(found, value)
                : name.Length == 0 || (!IsNothing(value) && (quote.Length > 0
                    ? !IsMeasure(name, value) && !IsReference(name, value)
                    : LooksSecret(name, sign, value, GoesOn(text.AsSpan(at))) && !IsScheme(name, value, text.AsSpan(at)))))
            {
                hidden = (hidden ?? new()).Append(text, kept, start - kept).Append(Hidden);
                kept = at;
            }
        }

        return hidden is null ? text : hidden.Append(text, kept, text.Length - kept).ToString();
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

    private static bool GoesOn(ReadOnlySpan<char> rest) =>
        rest.TrimStart(" \t") is [var next, ..] trimmed && trimmed.Length < rest.Length && (char.IsLetterOrDigit(next) || next == '_');

    /// <summary>Hexadecimal or Base64 with digits and letters, also as URLs have it.</summary>
    private static bool IsKey(string value) =>
        value.Length >= ShortestKey && value.Any(char.IsAsciiDigit) && value.Any(char.IsAsciiLetter)
        && (!value.AsSpan().TrimEnd('=').ContainsAnyExcept(SecretFormats.KeyLetters) || IsUrlKey(value))

        // A path has slashes too.
        && (!value.Contains('/') || (value[0] != '/' && value.Any(char.IsAsciiLetterUpper)));

    /// <summary>Names have - and _ too: they are words, or their parts are short or in one case.</summary>
    internal static bool IsUrlKey(string value) =>
        !Word().IsMatch(value) && value.TrimEnd('=').Split('-', '_') is var parts && Array.TrueForAll(parts, part => !part.AsSpan().ContainsAnyExcept(SecretFormats.KeyLetters))
        && Array.Exists(parts, part => part.Length >= 8 && part.Any(char.IsAsciiDigit) && part.Any(char.IsAsciiLetterUpper) && part.Any(char.IsAsciiLetterLower));

    /// <summary>docker run --name mysql -p3306:3306</summary>
    private static bool IsPort(ReadOnlySpan<char> value) => value.Contains(':') && value.TrimStart("0123456789.:").IsEmpty;

    private static bool IsNothing(string value) =>
        value is "true" or "false" or "True" or "False" or "null" or "none" or "None" or "nil" or "undefined" or "YES" or "NO" or "yes" or "no"
        || value.StartsWith(Hidden, StringComparison.Ordinal) || !value.Any(char.IsLetterOrDigit)

        // <your key>, (hidden): what stands where a value would.
        || value is ['<', .., '>'] || (value is ['(', ..] && IsWord(value));

    private static bool MayBeAnything(string name) => name.Contains("pass", StringComparison.OrdinalIgnoreCase) || name.StartsWith("secret", StringComparison.OrdinalIgnoreCase);

    /// <summary>"time_per_token": "31.2ms", input_cost_per_token: 2.5e-06</summary>
    private static bool IsMeasure(string name, string value) =>
        !MayBeAnything(name) && value.TrimEnd('m', 's', 'k', 'B', '%', '$', ' ', '/') is { Length: > 0 and < 12 } number
        && (number.Length < 8 && number.All(character => char.IsAsciiDigit(character) || character is '.' or ',') || number.Contains('e') && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out _));

    /// <summary>A Kubernetes object by namespace and name: secret="inference/registry-pull"</summary>
    private static bool IsReference(string name, string value) => name.StartsWith("secret", StringComparison.OrdinalIgnoreCase) && value.Contains('/') && char.IsAsciiLetterLower(value[0]) && IsWord(value);

    /// <summary>Without quotes it may be prose: 'token: expired', 'wrong password: try again', 'token: 512'.</summary>
    private static bool LooksSecret(string name, string sign, string value, bool goesOn)
    {
        var isAnything = MayBeAnything(name);
        return name.StartsWith("pwd", StringComparison.OrdinalIgnoreCase) ? value[0] is not ('/' or '~')
            : !isAnything && value.All(character => char.IsAsciiDigit(character) || character is '.' or ',') || IsMeasure(name, value) ? false
            // token = tokens[index], authorization=allow
            : !isAnything && value.Contains('[') ? false
            : sign.Contains('=') && !(name.StartsWith("authorization", StringComparison.OrdinalIgnoreCase) && IsWord(value)) ? true
            : IsWord(value) ? value.Length >= LongestWord || isAnything && !goesOn
            : isAnything || value.Length >= 6;
    }

    /// <summary>Authorization: GenieKey •••</summary>
    private static bool IsScheme(string name, string value, ReadOnlySpan<char> rest) =>
        name.StartsWith("authorization", StringComparison.OrdinalIgnoreCase) && rest.TrimStart(' ').StartsWith(Hidden, StringComparison.Ordinal) && value.All(character => char.IsAsciiLetter(character) || character == '-');

    /// <summary>What stands behind a scheme that is not known: no words, and no request_id=… of a line of a log.</summary>
    private static bool IsCredential(string value) => value.Any(char.IsAsciiDigit) && !value.TrimEnd('=').Contains('=');

    /// <summary>DB_PASSWORD_PROD=…, and not PASSWORD_FILE=/run/secrets/db, PASSWORD_MAX_AGE=90 or pass=1250.2ms</summary>
    private static bool IsPassword(string name, string value) =>
        value.Length >= 6 && value[0] is not ('/' or '~') && value.Any(char.IsAsciiLetter) && !value.Contains("://", StringComparison.Ordinal) && !IsNothing(value) && !IsWord(value)
        && !(name.EndsWith("pass", StringComparison.OrdinalIgnoreCase) && (IsMeasure("", value) || DateTime.TryParseExact(value[..Math.Min(10, value.Length)], "yyyy-MM-dd", CultureInfo.InvariantCulture, default, out _)));

    /// <summary>Letters of one kind with what joins words; a name such as 'inference-tls' too.</summary>
    private static bool IsWord(string value) => value[1..].All(character => char.IsAsciiLetterLower(character) || character is '-' or '_' or '/' or '.' or ':' or '!');

    // Strangers write what these expressions read. NonBacktracking keeps the time in proportion to the text's length, whatever it says.
    private const RegexOptions Linear = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private const RegexOptions AnyCase = Linear | RegexOptions.IgnoreCase;

    /// <summary>This many small letters in a row are rare in a key.</summary>
    [GeneratedRegex("[a-z]{6}", Linear)]
    private static partial Regex Word();

    /// <summary>https://user:password@host, to the last @ before the path: clients take passwords with one in them.</summary>
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

    /// <summary>Authorization: GenieKey …, of any other scheme.</summary>
    [GeneratedRegex(@"(\bauthorization\\*[""']?\s*[:=]\s*\\*[""']?(?-i:[A-Z])[a-z-]*[ \t]+)([^•\s""'\\,;/][^\s""'\\,;]{15,})", AnyCase)]
    private static partial Regex OtherScheme();

    /// <summary>?sig=…&amp;code=…, also as HTML and JSON write it.</summary>
    [GeneratedRegex(@"(?:[?&](?:amp;)?|\\+u0026)(?:sig|signature|code|key|[a-z_-]*token|api-?_?key|subscription-key|[a-z_-]*secret|password|pwd|x-amz-signature|x-goog-signature)(?:=|%3D)", AnyCase)]
    private static partial Regex Query();

    /// <summary>&lt;password&gt;…&lt;/password&gt;, &lt;entry name="db.password"&gt;…&lt;/entry&gt;</summary>
    [GeneratedRegex(@"(<[a-z:]*(?:password|secret|token|apikey|accesskey)>|<[a-z:]+\s[^<>]*\b(?:name|key|id)=[""'][^""'<>]*(?:password|secret|token|api[_.-]?key|access[_.-]?key)[""'](?:[^<>]*[^<>/])?>)[^<\s][^<]*", AnyCase)]
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

    /// <summary>AZURE_SEARCH_KEY=…, "key1": "…", pat=…, ('api-key', '…'), what people write (the password is now …), and 'pass', with a colon where a name can begin: tests pass: TestHttp2.</summary>
    [GeneratedRegex(@"(?:" + KeyNames + ")" + Quote + @"?\s*(?:=>|:=|[=:])\s*(?<quote>" + Quote + ")?|(?:key|token|secret|authorization)" + Quote + @"\s*,\s*b?(?<quote>" + Quote + @")"
        + @"|\b(?<pass>pass)" + Quote + @"?\s*(?:=>|:=|=)\s*(?<quote>" + Quote + ")?"
        + @"|(?:(?m:^)[ \t]*(?:-[ \t]+)?|[{,(;]\s*|[""'`]|u002[27]|%2[27])(?<pass>(?-i:[Pp]ass))" + Quote + @"?\s*:\s*(?<quote>" + Quote + ")?"
        + @"|\b(?<pass>(?:password|passphrase)\s+(?:is|was)\s+(?:now\s+)?|(?:requirepass|masterauth)[ \t]+)(?<quote>" + Quote + ")?", AnyCase)]
    private static partial Regex KeyAssignment();

    /// <summary>A secret beside its name: {"name":"DB_PASSWORD","value":"…"}, - name: DB_PASSWORD with a value below it, &lt;add key="ApiKey" value="…"/&gt;.</summary>
    [GeneratedRegex(@"\b(?:name|key)" + Quote + @"?\s*[:=]\s*" + Quote + @"?[\w.-]*(?<name>" + Names + ")" + Quote + @"?\s*,?\s*" + Quote + @"?value" + Quote + @"?(?<sign>\s*[:=]\s*)(?<quote>" + Quote + ")?", AnyCase)]
    private static partial Regex NamedValue();

    /// <summary>
    /// password="…", 'DB_PASSWORD': '…', db_password: …, AccountKey=…;, and the same inside of a JSON text that is itself text
    /// (\"password\":\"…\"). A quoted value ends at the quote that began it, escaped in the same way, or with the line.
    /// </summary>
    [GeneratedRegex(
        @"(?<name>" + Names + @")(?:[_-]?(?:value|text|base64|b64|hash|\d{1,2}))?" + Quote + @"?(?<sign>\s*(?:=>|:=|[=:]|%3[AD])\s*)"
        // A list; a tag, or a text that begins on the next line.
        + @"(?:\[\s*(?<quote>" + Quote + @")|(?:!!?\w*[ \t]+)?(?:[|>][+-]?\d?[ \t]*\r?\n[ \t]+)?(?<quote>" + Quote + ")?)",
        AnyCase)]
    private static partial Regex Assignment();
}

/// <summary>Carries no inner exception: that would bring the secret back.</summary>
internal sealed class RedactedException(string text) : Exception(text.Split('\n')[0].TrimEnd())
{
    public override string ToString() => text;
}
