namespace Runbooks.Model.Text;

/// <summary>The other texts: prose, a number, a path, the name of something.</summary>
internal static class SecretValues
{
    private const int LongestWord = 24;

    /// <summary>Not prose: 'token: expired', 'wrong password: try again', 'token: 512'.</summary>
    /// <param name="sign">What joins the name and the value, such as a colon.</param>
    /// <param name="rest">The text after the value.</param>
    public static bool IsSecret(string name, string sign, string value, ReadOnlySpan<char> rest) =>
        !IsNothing(value) && LooksSecret(name, sign, value, GoesOn(rest)) && !IsScheme(name, value, rest);

    public static bool IsSecretInQuotes(string name, string value) =>
        !IsNothing(value) && !IsMeasure(name, value) && !IsReference(name, value);

    /// <summary>DB_PASSWORD_PROD=…, and not PASSWORD_FILE=/run/secrets/db, PASSWORD_MAX_AGE=90 or pass=1250.2ms</summary>
    public static bool IsPassword(string name, string value)
    {
        if (value.Length < 6 || !value.Any(char.IsAsciiLetter) || IsNothing(value) || IsWord(value))
        {
            return false;
        }

        var isPlace = value[0] is '/' or '~' || value.Contains("://", StringComparison.Ordinal);
        var isResult = name.EndsWith("pass", StringComparison.OrdinalIgnoreCase) && (IsMeasure("", value) || BeginsWithDate(value));
        return !isPlace && !isResult;
    }

    /// <summary>Words after what may be the name of a scheme: Basic authentication, API key rotation.</summary>
    public static bool IsProse(string scheme, string value) =>
        IsWord(value) || (scheme.StartsWith("api", StringComparison.OrdinalIgnoreCase) && !value.Any(char.IsAsciiDigit));

    /// <summary>After an unknown scheme: neither words nor a log line's request_id=….</summary>
    public static bool IsCredential(string value) => value.Any(char.IsAsciiDigit) && !value.TrimEnd('=').Contains('=');

    /// <summary>docker run --name mysql -p3306:3306</summary>
    public static bool IsPort(ReadOnlySpan<char> value) => value.Contains(':') && value.TrimStart("0123456789.:").IsEmpty;

    private static bool LooksSecret(string name, string sign, string value, bool goesOn)
    {
        if (name.StartsWith("pwd", StringComparison.OrdinalIgnoreCase))
        {
            return value[0] is not ('/' or '~');
        }

        // token = tokens[index]
        var isAnything = MayBeAnything(name);
        if (IsMeasure(name, value) || (!isAnything && (IsNumber(value) || value.Contains('['))))
        {
            return false;
        }

        // authorization=allow
        if (sign.Contains('=') && !(IsAuthorization(name) && IsWord(value)))
        {
            return true;
        }

        return IsWord(value) ? value.Length >= LongestWord || (isAnything && !goesOn) : value.Length >= 6 || isAnything;
    }

    private static bool IsNothing(string value) =>
        value is "true" or "false" or "True" or "False" or "null" or "none" or "None" or "nil" or "undefined" or "YES" or "NO" or "yes" or "no"
        || value.StartsWith(Redactor.Hidden, StringComparison.Ordinal) || !value.Any(char.IsLetterOrDigit)

        // <your key>, (hidden): placeholders.
        || value is ['<', .., '>'] || (value is ['(', ..] && IsWord(value));

    /// <summary>"time_per_token": "31.2ms", input_cost_per_token: 2.5e-06</summary>
    private static bool IsMeasure(string name, string value)
    {
        var number = value.TrimEnd('m', 's', 'k', 'B', '%', '$', ' ', '/');
        if (number.Length is 0 or >= 12 || MayBeAnything(name))
        {
            return false;
        }

        return number.Contains('e')
            ? double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
            : number.Length < 8 && IsNumber(number);
    }

    /// <summary>Whether the value may be a word or a number, as a password may.</summary>
    private static bool MayBeAnything(string name) =>
        name.Contains("pass", StringComparison.OrdinalIgnoreCase) || name.StartsWith("secret", StringComparison.OrdinalIgnoreCase);

    /// <summary>A Kubernetes object by namespace and name: secret="inference/registry-pull"</summary>
    private static bool IsReference(string name, string value) =>
        name.StartsWith("secret", StringComparison.OrdinalIgnoreCase)
            && value.Contains('/')
            && char.IsAsciiLetterLower(value[0])
            && IsWord(value);

    /// <summary>Authorization: GenieKey •••</summary>
    private static bool IsScheme(string name, string value, ReadOnlySpan<char> rest) =>
        IsAuthorization(name) && rest.TrimStart(' ').StartsWith(Redactor.Hidden, StringComparison.Ordinal)
        && value.All(character => char.IsAsciiLetter(character) || character == '-');

    private static bool IsAuthorization(string name) => name.StartsWith("authorization", StringComparison.OrdinalIgnoreCase);

    private static bool IsNumber(string value) => value.All(character => char.IsAsciiDigit(character) || character is '.' or ',');

    private static bool BeginsWithDate(string value) =>
        DateTime.TryParseExact(value[..Math.Min(10, value.Length)], "yyyy-MM-dd", CultureInfo.InvariantCulture, default, out _);

    /// <summary>Lower-case letters with characters that join words, or a name such as 'inference-tls'.</summary>
    private static bool IsWord(string value) =>
        value[1..].All(character => char.IsAsciiLetterLower(character) || character is '-' or '_' or '/' or '.' or ':' or '!');

    /// <summary>Whether a word follows, as in a sentence.</summary>
    private static bool GoesOn(ReadOnlySpan<char> rest) =>
        rest.TrimStart(" \t") is [var next, ..] trimmed && trimmed.Length < rest.Length && (char.IsLetterOrDigit(next) || next == '_');
}
