using System.Buffers;
using System.Text.RegularExpressions;

namespace Runbooks.Model.Text;

/// <summary>
/// The shapes of secrets, from the issuers' documentation, as in the public rules of gitleaks (config/gitleaks.toml) and, for Azure's keys
/// with a signature inside, of microsoft/security-utilities. Shapes that ordinary text has too are left out, such as 32 hexadecimal digits.
/// </summary>
internal static partial class SecretFormats
{
    private const string Base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    /// <summary>With the characters that join the lines of a key, also in JSON.</summary>
    private static readonly SearchValues<char> s_keyLines = SearchValues.Create(Base64 + "=\r\n\\");

    /// <summary>The beginning or a part of each pattern below. Nearly every text has none of them.</summary>
    private static readonly SearchValues<string> s_hints = SearchValues.Create(
        [
            "eyJ", "gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_", "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "gloas-",
            "glft-", "glimt-", "glagent-", "glsoat-", "glffct-", "xox", "xapp-",
            "sk-", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_",
            "hf_", "AIza", "ya29.", "GOCSPX-", "AKIA", "ASIA", "ABIA", "ACCA", "Q~", "JQQJ9", "+AStS", "+ACDb", "+ABa", "+AMC", "+AEh",
            "+ASb", "+ARm", "+ACR", "AzFu", "AzSe", "AzCa", "APIM",
            "dapi", "SG.", "glsa_", "glc_", "doo_v1_", "dop_v1_", "dor_v1_", "npm_", "pypi-AgE", "hvs.", "hvb.", "dckr_pat_",
            "dckr_oat_", "ABSK", "bedrock-api-key-", "api_org_", "AQ.", "AZDO", "ATATT3", "lin_api_", "NRAK-", "PMAK-", "gsk_",
            "pplx-", "r8_", "xai-", "nvapi-", "pul-", "sntrys_", "sntryu_", "dp.pt.", "dt0c01.", "AGE-SECRET-KEY-1", "LTAI", "shp",
            ":AA", "ops_eyJ", "figd_", "ntn_", "tfp_", "lsv2_", "key-",
        ],
        StringComparison.Ordinal);

    /// <summary>Hosts in addresses may be in any case.</summary>
    private static readonly SearchValues<string> s_hosts = SearchValues.Create(
        ["hooks.slack.com/", "webhook.office.com/", "discord.com/", "discordapp.com/", "chat.googleapis.com/"], StringComparison.OrdinalIgnoreCase);

    private static readonly SearchValues<char> s_keyLetters = SearchValues.Create(Base64);

    /// <summary>The shortest key that a service issues, in characters.</summary>
    private const int ShortestKey = 16;

    public static string Hide(string text)
    {
        text = text.AsSpan().ContainsAny(s_hosts) ? Redactor.HideValues(text, Webhooks()) : text;
        if (!text.AsSpan().ContainsAny(s_hints))
        {
            return text;
        }

        text = Tokens().Replace(text, Redactor.Hidden);
        text = MoreTokens().Replace(text, Redactor.Hidden);
        return Azure().Replace(HideGenerated(text), Redactor.Hidden);
    }

    public static string HidePrivateKeys(string text)
    {
        text = HideEndOfKey(text);
        return text.Contains("-----BEGIN", StringComparison.Ordinal) ? PrivateKey().Replace(text, $"$1{Redactor.Hidden}") : text;
    }

    /// <summary>Hexadecimal or Base64 with digits and letters, also the URL-safe form.</summary>
    public static bool IsKey(string value)
    {
        if (value.Length < ShortestKey || !value.Any(char.IsAsciiDigit) || !value.Any(char.IsAsciiLetter))
        {
            return false;
        }

        var mayBePath = value.Contains('/') && (value[0] == '/' || !value.Any(char.IsAsciiLetterUpper));
        return !mayBePath && (IsOfKeyLetters(value.AsSpan().TrimEnd('=')) || IsUrlKey(value));
    }

    /// <summary>If the beginning of a private key was cut off, everything before its end may be the key.</summary>
    private static string HideEndOfKey(string text)
    {
        var end = text.IndexOf("-----END ", StringComparison.Ordinal);
        if (end <= 0 || !IsKeyBefore(text.AsSpan(0, end)))
        {
            return text;
        }

        var endsPrivateKey = text.AsSpan(end, Math.Min(60, text.Length - end)).Contains("PRIVATE KEY", StringComparison.Ordinal);
        var begins = text.AsSpan(0, end).Contains("-----BEGIN ", StringComparison.Ordinal);
        return endsPrivateKey && !begins ? $"{Redactor.Hidden}{text[end..]}" : text;
    }

    /// <summary>A text that only quotes the line has words before it. A key has not.</summary>
    private static bool IsKeyBefore(ReadOnlySpan<char> text) =>
        text[^1] == '\n' || text.EndsWith("\\n", StringComparison.Ordinal)
        || (text.Length >= ShortestKey && IsOfKeyLines(text[^ShortestKey..]));

    private static bool IsOfKeyLines(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(s_keyLines) && text.ContainsAny(s_keyLetters);

    private static string HideGenerated(string text) => text.Contains("sk-", StringComparison.Ordinal)
        ? Generated().Replace(text, match => IsGenerated(match.Groups[1].Value) ? Redactor.Hidden : match.Value)
        : text;

    /// <summary>
    /// LiteLLM's keys are 22 random URL-safe letters (Python's secrets.token_urlsafe(16)). Only length and mixture tell them from a name.
    /// </summary>
    private static bool IsGenerated(string key) =>
        IsUrlKey(key) || (key.Length == 22 && MixesLetters(key));

    /// <summary>Names contain - and _ too, but their parts are words, short, or in one case.</summary>
    private static bool IsUrlKey(string value)
    {
        var parts = value.TrimEnd('=').Split('-', '_');
        return !Word().IsMatch(value)
            && Array.TrueForAll(parts, part => IsOfKeyLetters(part))
            && Array.Exists(parts, part => part.Length >= 8 && MixesLetters(part));
    }

    private static bool IsOfKeyLetters(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(s_keyLetters);

    private static bool MixesLetters(string text) =>
        text.Any(char.IsAsciiDigit) && text.Any(char.IsAsciiLetterUpper) && text.Any(char.IsAsciiLetterLower);

    /// <summary>So many lower-case letters in a row are rare in a key.</summary>
    [GeneratedRegex("[a-z]{6}", RegexOptions.NonBacktracking)]
    private static partial Regex Word();

    [GeneratedRegex(@"\bsk-([\w-]{20,})", RegexOptions.NonBacktracking)]
    private static partial Regex Generated();

    /// <summary>-----BEGIN RSA PRIVATE KEY-----, to its end or to the end of the text.</summary>
    [GeneratedRegex(@"(-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)[\s\S]*?(?:-----END [A-Z0-9 ]*-----|\z)", RegexOptions.NonBacktracking)]
    private static partial Regex PrivateKey();

    /// <summary>Tokens with a prefix that the issuer chose for detection.</summary>
    [GeneratedRegex(
        @"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?" // JSON Web Token
        + @"|\bgh[opsru]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{40,}"
        + @"|\bgl(?:pat|dt|rt|ptt|cbt|oas|ft|imt|agent|soat|ffct)-[\w-]{20,}"
        + @"|\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{20,}"
        + @"|\bsk-(?:ant|proj|svcacct|admin|or|lf)-[\w-]{20,}|\bsk-[A-Za-z0-9]{20,}|\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9+/=]{20,}"
        + @"|\bhf_[A-Za-z0-9]{30,}|\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}|\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"
        + @"|\bdapi[a-f0-9]{32}(?:-\d)?|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bglsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|\bglc_[A-Za-z0-9+/]{32,}={0,3}|\bdo[opr]_v1_[a-f0-9]{64}",
        RegexOptions.NonBacktracking)]
    internal static partial Regex Tokens();

    /// <summary>Separate, because .NET limits the size of one NonBacktracking expression.</summary>
    [GeneratedRegex(
        @"\bnpm_[A-Za-z0-9]{36}|\bpypi-AgE[\w-]{50,}|\bhv[sb]\.[\w-]{24,}|\bdckr_[po]at_[\w-]{20,}|\bATATT3[\w=-]{50,}"
        + @"|\blin_api_[A-Za-z0-9]{40}|\bNRAK-[A-Z0-9]{27}|\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}"
        + @"|\bgsk_[A-Za-z0-9]{48,}|\bpplx-[A-Za-z0-9]{40,}|\br8_[A-Za-z0-9]{37}|\bxai-[A-Za-z0-9]{60,}|\bnvapi-[\w-]{50,}"
        + @"|\bpul-[a-f0-9]{40}|\bsntry[su]_[A-Za-z0-9+/=_-]{40,}|\bdp\.pt\.[A-Za-z0-9]{40,}"
        + @"|\bdt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}|\bAGE-SECRET-KEY-1[A-Z0-9]{58}|\bLTAI[A-Za-z0-9]{20}\b"
        + @"|\bshp(?:at|ss|ca|pa)_[A-Fa-f0-9]{32}|\b\d{8,10}:AA[\w-]{33}|\bops_eyJ[\w+/=-]{50,}"
        + @"|\bABSK[A-Za-z0-9+/]{60,}={0,2}|\bbedrock-api-key-[\w+/=-]{20,}|\bapi_org_[A-Za-z0-9]{30,}|\bAQ\.[\w-]{40,}"
        + @"|\bfigd_[\w-]{40,}|\bntn_[A-Za-z0-9]{40,}|\btfp_[\w-]{40,}|\blsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}|\bkey-[a-f0-9]{32}\b",
        RegexOptions.NonBacktracking)]
    internal static partial Regex MoreTokens();

    /// <summary>Addresses that are secret themselves: anybody who has one may post.</summary>
    [GeneratedRegex(
        @"(?:hooks\.slack\.com/(?:services|workflows|triggers)|webhook\.office\.com/webhookb2|discord(?:app)?\.com/api/webhooks"
        + @"|chat\.googleapis\.com/v1/spaces)/",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Webhooks();

    /// <summary>
    /// Entra's client secrets, and Azure's keys in Base64 with the service's signature near the end. Ids of Azure resources have the same
    /// letters and may contain a signature (resourceGroups/rg-AzFunctions), so the last patterns require the exact length.
    /// </summary>
    [GeneratedRegex(
        @"[\w~.-]{3}\dQ~[\w~.-]{31,34}"
        + @"|\b[A-Za-z0-9]{52}JQQJ9[9D][A-Za-z0-9]{4,32}"
        + @"|[A-Za-z0-9+/]{33,80}\+(?:AStS|ACDb|ABa|AMC|AEh|ASb|ARm|ACR)[A-Za-z0-9+/]{4,8}={0,2}"
        + @"|[\w-]{44}AzFu[\w-]{5}[AQgw](?:==|%3[Dd]%3[Dd])|\b[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}\b|\b[A-Za-z0-9]{33}AzCa[A-P][A-Za-z0-9]{5}(?:=|%3[Dd])"
        + @"|\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b"
        + @"|[A-Za-z0-9+/]{76}APIM[A-Za-z0-9+/]{5}[AQgw](?:==|%3[Dd]%3[Dd])",
        RegexOptions.NonBacktracking)]
    internal static partial Regex Azure();
}

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
