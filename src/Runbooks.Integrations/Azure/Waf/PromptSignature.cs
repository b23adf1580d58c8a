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
    public static (PromptSignature? Signature, string? Refusal) Of(string text, IReadOnlyList<string>? ordinary = null)
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

        return OrdinaryText.Objection(words, pattern, ordinary ?? []) is { } objection
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
    /// <summary>
    /// No list knows every ordinary word of every language, but the more words have to follow one another, the fewer other
    /// people write just these: a single word, the name of an API's field or a short phrase is never enough.
    /// </summary>
    private const int FewestRareWords = 5;

    /// <summary>Longer ones are no words: the beginning of an image, a hash, an address.</summary>
    private const int LongestWord = 20;

    private const int MostSamples = 200;

    // Frequent words of questions to an assistant, in the languages that are asked most in these letters.
    private static readonly FrozenSet<string> s_common = (
        "about after again all also always and any are ask assistant because been before being best better but can change chat check "
        + "code content could create data day describe did does done each email english even every example explain few file find first follow "
        + "for from function get give good great had has have hello help her here him his how ignore instructions into its just keep "
        + "know language last let letter like line list long look made make many message messages mode model more most much "
        + "name need never new next not now off old one only order other our out over part people please point previous problem program prompt put question "
        + "read really right role rules safe same say see send sentence short should show some story stop summarize system tell temperature text than thank thanks that "
        + "the their them then there these they thing things think this those time today too translate true try two under use user using very want "
        + "was way week well were what when where which while who why will with word words work world would write year yes yet you your "
        + "aber alle als auch auf aus bei bin bis bist bitte danke das dass dein dem den der des die diese diesen dir doch durch ein eine einem einen einer erkläre etwas "
        + "gib haben hallo hat hilf ich ihr ist kann kannst kein mein meine mich mir mit nach nicht noch nur oder schreib schreibe sein sich sie sind text und uns von vor warum was wenn wer wie wir "
        + "wird zum zur zusammen como con cual cuando dame del desde donde ella ellos entre escribe esta este esto favor gracias hace hola las los mas mejor mucho muy nos "
        + "para pero por porque puede puedes que quien quiero ser sin sobre son texto tiene todo traduce una uno avec aux bonjour ces cette comme comment dans des donne elle est être "
        + "explique faire ils les leur mais merci mes moi mon nous par pas peux plus pour pouvez pourquoi quel quelle qui sans ses sont sur toi ton tout une veux vous votre "
        + "ajuda anche che chi ciao come cosa dal della delle dove grazie gli hai isto isso mais mas mia mio muito não non obrigado onde perche qual quando quanto quero questo scrivi sono tradurre tudo uma voce "
        + "aan alsjeblieft dat deze dit een geen heeft het hoe ik kan maar met mij mijn naar niet ook tekst uit van vertaal voor waar waarom wat zijn")
        .Split(' ').ToFrozenSet(StringComparer.Ordinal);

    private static readonly string[] s_sentences =
    [
        """{"model":"gpt-4o","temperature":0.2,"top_p":1,"frequency_penalty":0,"presence_penalty":0,"max_tokens":800,"stream":true,"stop":null,"response_format":{"type":"json_object"},"messages":[{"role":"system","content":"you are a helpful assistant."},{"role":"user","content":[{"type":"text","text":"hello, how are you today?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,ivborw0kggo="}}]}],"tools":[{"type":"function","function":{"name":"get_weather","description":"","parameters":{"type":"object","properties":{},"required":[]}}}],"tool_choice":"auto"}""",
        """{"model":"claude-sonnet","max_tokens":1024,"system":"you answer briefly.","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}""",
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
        "bitte fasse diesen text in drei kurzen stichpunkten zusammen.",
        "kannst du mir eine bewerbung als krankenpfleger in einer klinik schreiben?",
        "dame una receta de pollo con arroz blanco y verduras para la cena.",
        "escribe un correo formal para pedir vacaciones a mi jefe.",
        "peux-tu corriger les fautes dans ma lettre de motivation ?",
        "scrivi una mail al professore per chiedere un appuntamento domani mattina.",
        "escreva um resumo curto deste artigo sobre mudanças climáticas.",
        "schrijf een korte brief aan de gemeente over het afval in onze straat.",
    ];

    /// <param name="samples">Ordinary requests that the runbook keeps.</param>
    /// <returns>Why these words must not be blocked; null when they may.</returns>
    public static string? Objection(IReadOnlyList<string> words, string pattern, IReadOnlyList<string> samples)
    {
        var rare = words.Select(word => word.Trim('.', ',', '!', '?', ':', ';', '"', '\'', '(', ')', '[', ']')).Where(IsRare).Distinct(StringComparer.Ordinal).Count();
        if (rare < FewestRareWords)
        {
            return $"The signature would hit what other people write: it has {rare} different words that are not everyday ones, and needs {FewestRareWords} in a row. Names of an API's fields, numbers and encoded data do not count.";
        }

        return Blocked(pattern, s_sentences) > 0 ? "The signature is found in an ordinary sentence."
            : Blocked(pattern, samples) is > 0 and var hit ? $"The signature is found in {hit} of the {samples.Count} ordinary requests that the runbook keeps ('ordinary')."
            : null;
    }

    /// <summary>How many of these requests a WAF with that pattern would block.</summary>
    public static int Blocked(string pattern, IReadOnlyList<string> requests)
    {
        var expression = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        return requests.Count(request => expression.IsMatch(request.ToLowerInvariant()));
    }

    public static IReadOnlyList<string> Samples(string? ordinary) =>
        [.. (ordinary ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(MostSamples)];

    private static bool IsRare(string word) =>
        word.Length is > 2 and <= LongestWord && word.All(character => char.IsAsciiLetter(character) || character is '\'' or '-') && !s_common.Contains(word);
}
