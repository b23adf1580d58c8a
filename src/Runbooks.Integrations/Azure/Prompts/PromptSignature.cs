using System.Text;
using System.Text.RegularExpressions;
using Runbooks.Model.Text;

namespace Runbooks.Integrations.Azure.Prompts;

/// <summary>
/// The words that make a prompt recognisable, and the pattern that finds them in a request's body. They come from an
/// alert, so from whoever wrote the prompt: nothing of them is a pattern by itself, and words that other people write as
/// well are refused, in any script.
/// </summary>
internal sealed record PromptSignature
{
    /// <summary>The longest value that a WAF takes.</summary>
    public const int LongestPattern = 256;

    // Blanks and line ends reach the WAF as they are, escaped, or encoded: a few characters of any other kind.
    private const string Gap = @"(\\[nrt]|[^a-z0-9]){1,8}";

    // The same where letters of other scripts are letters too.
    private const string WideGap = @"(\\[nrt]|[^\p{L}\p{M}\p{N}]){1,8}";

    private PromptSignature(string text, IReadOnlyList<string> words, string pattern, string hash) => (Text, Words, Pattern, Hash) = (text, words, pattern, hash);

    /// <summary>As it was written, with one blank between the words. For the filter alone, never to be shown.</summary>
    public string Text { get; }

    /// <summary>In lower case.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>A regular expression over the body in lower case, the same in .NET and in both WAFs.</summary>
    public string Pattern { get; }

    /// <summary>Stands for the words wherever they must not be shown.</summary>
    public string Hash { get; }

    /// <summary>Why a WAF cannot look for it; null when one can.</summary>
    public string? WafObjection => Text.Any(character => character > 126)
        ? "The signature holds characters outside plain ASCII, which reach a WAF in more than one form. Choose another part of the prompt."
        : Pattern.Length > LongestPattern
        ? $"The signature is too long: as a pattern it has {Pattern.Length} characters, and a WAF takes {LongestPattern}. Choose a shorter part of the prompt."
        : null;

    /// <summary>For cards, pages and logs: never the words themselves.</summary>
    public override string ToString() => $"sha256:{Hash[..12]} ({Words.Count} words)";

    /// <returns>The signature, or why there is none.</returns>
    public static (PromptSignature? Signature, string? Refusal) Of(string text, IReadOnlyList<string>? ordinary = null)
    {
        // A lone surrogate is no character, and cannot be normalised either.
        if (text.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format))
        {
            return (null, "The signature holds characters that nobody sees, so what is blocked would not be what is shown. Choose another part of the prompt.");
        }

        string[] written = [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)];
        string[] words = [.. written.Select(word => word.Normalize().ToLowerInvariant())];
        var pattern = string.Join(text.Any(character => character > 126) ? WideGap : Gap, words.Select(Escape));
        return OrdinaryText.Objection(words, pattern, ordinary ?? []) is { } objection
            ? (null, objection)
            : (new PromptSignature(string.Join(' ', written), words, pattern, HashOf(string.Join(' ', words))), null);
    }

    /// <summary>What is kept of an abuser's words: enough to know them again.</summary>
    public static string HashOf(string text) => TextHash.Of(text);

    // A quotation mark or a backslash stands in a JSON body behind a backslash.
    private static string Escape(string word) => string.Concat(word.Select(character => character switch
    {
        '"' or '\\' => @"\\?" + Regex.Escape(character.ToString()),
        // Regex.Escape leaves these, and engines differ in how they take them.
        '/' or '-' or ']' or '}' => $"\\{character}",
        _ => Regex.Escape(character.ToString()),
    }));
}
