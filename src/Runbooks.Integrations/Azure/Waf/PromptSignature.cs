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
