using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Runbooks.Integrations.Azure.Waf;

/// <summary>
/// The words that make a prompt recognisable, and the pattern that finds them in a request's body. They come from an
/// alert, so from whoever wrote the prompt: nothing of them is a pattern by itself, and words that other people write as
/// well are refused.
/// </summary>
internal sealed record PromptSignature
{
    /// <summary>The longest value that a WAF takes.</summary>
    public const int LongestPattern = 256;

    // Blanks and line ends reach the WAF as they are, escaped, or encoded: a few characters of any other kind.
    private const string Gap = @"(\\[nrt]|[^a-z0-9]){1,8}";

    private PromptSignature(IReadOnlyList<string> words, string pattern, string hash) => (Words, Pattern, Hash) = (words, pattern, hash);

    /// <summary>In lower case.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>A regular expression over the body in lower case, the same in .NET and in both WAFs.</summary>
    public string Pattern { get; }

    /// <summary>Stands for the words wherever they must not be shown.</summary>
    public string Hash { get; }

    /// <summary>For cards, pages and logs: never the words themselves.</summary>
    public override string ToString() => $"sha256:{Hash[..12]} ({Words.Count} words)";

    /// <returns>The signature, or why there is none.</returns>
    public static (PromptSignature? Signature, string? Refusal) Of(string text)
    {
        if (text.Any(character => character > 126 || char.IsControl(character)))
        {
            return (null, "The signature holds characters outside plain ASCII, which reach a WAF in more than one form. Choose another part of the prompt.");
        }

        string[] words = [.. text.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
        var pattern = string.Join(Gap, words.Select(Escape));
        if (pattern.Length > LongestPattern)
        {
            return (null, $"The signature is too long: as a pattern it has {pattern.Length} characters, and a WAF takes {LongestPattern}. Choose a shorter part of the prompt.");
        }

        return OrdinaryText.Objection(words, pattern) is { } objection
            ? (null, objection)
            : (new PromptSignature(words, pattern, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(' ', words))))), null);
    }

    // A quotation mark or a backslash stands in a JSON body behind a backslash.
    private static string Escape(string word) => string.Concat(word.Select(character => character switch
    {
        '"' or '\\' => @"\\?" + Regex.Escape(character.ToString()),
        // Regex.Escape leaves these, and engines differ in how they take them.
        '/' or '-' or ']' or '}' => $"\\{character}",
        _ => Regex.Escape(character.ToString()),
    }));
}

/// <summary>What innocent people write. A signature that could be found in it would lock them out.</summary>
internal static class OrdinaryText
{
    private const int FewestCharacters = 12;
    private const int LongWord = 14;

    // Frequent words of questions to an assistant, and the keys of its requests.
    private static readonly FrozenSet<string> s_common = (
        "a about after again all also always am an and any are as ask at be because been before being best better but by can change chat check "
        + "code content could create data day describe did do does done each email english even every example explain few file find first follow "
        + "for from function get give go good great had has have he hello help her here him his how i if ignore in instructions into is it its just keep "
        + "know language last let letter like line list long look made make many max_tokens me message messages mode model more most much my name "
        + "need never new next no not now of off old on one only or order other our out over part people please point previous problem program prompt put question "
        + "read really right role rules safe same say see send sentence short should show some story stop summarize system tell temperature text than thank thanks that "
        + "the their them then there these they thing things think this those time to today too translate true try two under up us use user using very want "
        + "was way we week well were what when where which while who why will with word words work world would write year yes yet you your")
        .Split(' ').ToFrozenSet(StringComparer.Ordinal);

    private static readonly string[] s_sentences =
    [
        """{"model":"gpt-4o","temperature":0.2,"max_tokens":800,"messages":[{"role":"system","content":"you are a helpful assistant."},{"role":"user","content":"hello, how are you today?"}]}""",
        "please summarize this text for me in three short sentences.",
        "can you help me write an email to my team about the meeting on monday?",
        "what is the difference between a list and an array in python?",
        "translate the following paragraph into german and keep the formatting.",
        "i would like to know how to change my password and how long that takes.",
        "explain to me like i am five years old why the sky is blue.",
        "write a short story about a dragon who is afraid of fire.",
        "here is my code, it does not work, please find the mistake and explain it.",
        "give me a recipe for dinner with chicken, rice and what is in season.",
        "please ignore my previous message, i had a typing mistake in it.",
        "what are the rules of chess, and which opening should a beginner learn first?",
        "make a table of the largest cities in europe with their population.",
        "thank you very much, that was exactly what i needed!",
    ];

    /// <returns>Why these words must not be blocked; null when they may.</returns>
    public static string? Objection(IReadOnlyList<string> words, string pattern)
    {
        var letters = words.Sum(word => word.Count(char.IsAsciiLetterOrDigit));
        if (letters < FewestCharacters)
        {
            return $"The signature has {letters} letters and digits; with fewer than {FewestCharacters} it would match what anybody writes.";
        }

        var rare = words.Select(word => word.Trim('.', ',', '!', '?', ':', ';', '"', '\'')).Where(word => word.Length > 2 && !s_common.Contains(word)).Distinct().ToList();
        if (rare.Count < 3 && !rare.Exists(word => word.Length >= LongWord))
        {
            return "The signature is made of words that ordinary sentences have as well: it needs three rare words, or one very long one.";
        }

        var expression = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        return s_sentences.Any(expression.IsMatch) ? "The signature is found in an ordinary sentence." : null;
    }
}
