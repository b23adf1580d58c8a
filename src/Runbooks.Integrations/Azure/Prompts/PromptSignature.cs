using Runbooks.Integrations.Azure.Monitor;

namespace Runbooks.Integrations.Azure.Prompts;

/// <summary>
/// The words that make a prompt recognisable, and the pattern that finds them in a request's body. The words come from an alert,
/// so from the author of the prompt: they are taken literally, and words that other people write too are refused, in any script.
/// </summary>
internal sealed record PromptSignature
{
    /// <summary>The longest value that a WAF takes.</summary>
    public const int LongestPattern = 256;

    // Blanks and line ends reach the WAF unchanged, escaped or encoded, as a few characters of any other kind.
    private const string Gap = @"(\\[nrt]|[^a-z0-9]){1,8}";

    // The same, with the letters of other scripts counted as letters.
    private const string WideGap = @"(\\[nrt]|[^\p{L}\p{M}\p{N}]){1,8}";

    private PromptSignature(string text, IReadOnlyList<string> words, string pattern, string hash) =>
        (Text, Words, Pattern, Hash) = (text, words, pattern, hash);

    /// <summary>As it was written, with one blank between the words. For the content filter only, never to be shown.</summary>
    public string Text { get; }

    public IReadOnlyList<string> Words { get; }

    /// <summary>A regular expression over the body in lower case, the same in .NET and in both WAFs.</summary>
    public string Pattern { get; }

    /// <summary>Finds the words with one blank between them, as an item of a blocklist does.</summary>
    public string TextPattern => string.Join(' ', Words.Select(Escape));

    /// <summary>Stands for the words where they must not be shown.</summary>
    public string Hash { get; }

    /// <summary>Why a WAF cannot look for the signature; null when it can.</summary>
    public string? WafObjection
    {
        get
        {
            if (Text.Any(character => character > 126))
            {
                return "The signature holds characters outside plain ASCII, which reach a WAF in more than one form. "
                    + "Choose another part of the prompt.";
            }

            return Pattern.Length > LongestPattern
                ? $"The signature is too long: as a pattern it has {Pattern.Length} characters, and a WAF takes {LongestPattern}. "
                    + "Choose a shorter part of the prompt."
                : null;
        }
    }

    /// <summary>For cards, pages and logs: never the words themselves.</summary>
    public override string ToString() => $"sha256:{Hash[..12]} ({Words.Count} words)";

    public static (PromptSignature? Signature, string? Refusal) Of(string text, IReadOnlyList<string> ordinary)
    {
        // A lone surrogate is not a character and cannot be normalised.
        if (text.EnumerateRunes().Any(IsUnseen))
        {
            return (
                null,
                "The signature holds characters that nobody sees, so what is blocked would not be what is shown. "
                    + "Choose another part of the prompt.");
        }

        string[] written = [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)];
        string[] words = [.. written.Select(word => ComposedText.Of(word).ToLowerInvariant())];
        var pattern = string.Join(text.Any(character => character > 126) ? WideGap : Gap, words.Select(Escape));
        return OrdinaryText.WhyRefused(words, pattern, ordinary) is { } objection
            ? (null, objection)
            : (new PromptSignature(string.Join(' ', written), words, pattern, HashOf(string.Join(' ', words))), null);
    }

    private static bool IsUnseen(Rune rune) =>
        rune == Rune.ReplacementChar || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format;

    /// <summary>All that is kept of an abuser's words: enough to recognise them.</summary>
    public static string HashOf(string text) => TextHash.Of(text);

    // In a JSON body a quotation mark or a backslash has a backslash before it.
    private static string Escape(string word) => string.Concat(word.Select(character => character switch
    {
        '"' or '\\' => @"\\?" + Regex.Escape(character.ToString()),
        // Regex.Escape leaves these, and engines differ in how they read them.
        '/' or '-' or ']' or '}' => $"\\{character}",
        _ => Regex.Escape(character.ToString()),
    }));
}

public abstract record SignatureParameters
{
    // The longest item that a blocklist takes.
    [Required, MaxLength(1000)]
    [Description("The words that make the prompt recognisable. Taken literally, ignoring case; "
        + "at least five different words that are not everyday ones; refused when ordinary requests hold them as well.")]
    public required string Signature { get; init; }

    [MaxLength(10_000)]
    [Description("Ordinary requests, one a line, kept with the runbook: a signature that is found in one of them is refused.")]
    public string? Ordinary { get; init; }

    [SampleFile, MaxLength(200)]
    [Description("A text file beside the runbook with more of them, such as samples/ordinary.txt: at most 500 lines. "
        + "It is part of the runbook's version.")]
    public string? OrdinaryFrom { get; init; }

    [TextPattern(TextPatternAttribute.Id, TextPatternAttribute.IdFormat)]
    [Description("The Log Analytics workspace that holds recent requests; goes with 'recent'. "
        + "Reading it takes the role Log Analytics Reader.")]
    public string? Workspace { get; init; }

    [QueryText(Comment = "//"), MaxLength(8000)]
    [Description("KQL that yields the bodies of the last hour's requests, one a row, in its first column of text. "
        + "How many of them the signature would have blocked stands on the card.")]
    public string? Recent { get; init; }

    internal (PromptSignature? Signature, string? Refusal) Read(StepContext context)
    {
        var kept = OrdinaryFrom is null ? "" : context.Samples.GetValueOrDefault(OrdinaryFrom);
        return kept is null
            ? (null, $"This version of the runbook does not hold {OrdinaryFrom}.")
            : PromptSignature.Of(Signature, [.. OrdinaryText.Samples(Ordinary), .. OrdinaryText.Samples(kept)]);
    }

    protected IEnumerable<ValidationResult> Trial() => Workspace is null == Recent is null
        ? []
        : [new AnyValueResult("goes with 'workspace': give both, or neither.", nameof(Recent))];
}

internal sealed class SignatureTrial(LogsClient logs)
{
    /// <returns>A sentence that begins with a blank.</returns>
    public async Task<string> TryAsync(string pattern, SignatureParameters parameters, CancellationToken cancellationToken)
    {
        if (parameters is not { Workspace: { } workspace, Recent: { } query })
        {
            return " It was not tried on recent requests.";
        }

        IReadOnlyList<string>? requests;
        try
        {
            requests = (await logs.QueryAsync(workspace, query, TimeSpan.FromHours(1), cancellationToken)).Texts();
        }
        catch (Exception failure) when (failure is AzureRequestException or StepRefusedException)
        {
            return $" It could not be tried on recent requests: {failure.Message}";
        }

        return requests is null ? " It could not be tried on recent requests: the query has no column of text."
            : requests.Count == 0 ? " There were no recent requests to try it on."
            : $" It would have blocked {OrdinaryText.Blocked(pattern, requests):N0} of {requests.Count:N0} requests of the last hour.";
    }
}

/// <summary>
/// The name of what a step adds: letters and digits, beginning with a letter, the same on every attempt and unique for the step
/// of the incident.
/// </summary>
internal static class StepName
{
    public static string Of(StepContext context)
    {
        var step = context.IdempotencyKey.Split(':') is [_, _, var name, ..] ? name : "";
        return "Runbook" + string.Concat($"{context.IncidentId}{step}".Where(char.IsAsciiLetterOrDigit).Take(100));
    }
}
