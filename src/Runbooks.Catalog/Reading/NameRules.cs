namespace Runbooks.Catalog.Reading;

/// <summary>Names that authors choose: they stand in links, file names, metrics and placeholders.</summary>
public static class NameRules
{
    private const int Longest = 64;

    public const string IdWords = "at most 64 lower-case letters, digits and dashes, beginning with a letter";
    public const string Words = "at most 64 letters, digits, dashes and underscores, beginning with a letter";

    public static bool IsId(string text) =>
        text.Length is > 0 and <= Longest && char.IsAsciiLetterLower(text[0]) && text[^1] != '-'
        && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-');

    public static bool IsName(string text) =>
        text.Length is > 0 and <= Longest && char.IsAsciiLetter(text[0])
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');

    /// <summary>Reports the names that cannot be names.</summary>
    internal static void Check(YamlSection section, string name)
    {
        if (!IsName(name))
        {
            section.Errors.AtKey(section.Path, "is not a name.", $"Use {Words}.");
        }
    }

    /// <summary>Reads names of checks and reports those that the diagnosis does not have.</summary>
    internal static IReadOnlyList<string> OfChecks(YamlSection section, string key, IReadOnlyCollection<string> checks, bool required = false)
    {
        var names = section.Words(key, required);
        for (var index = 0; index < names.Count; index++)
        {
            var path = section.PathOf(key) + (names.Count > 1 ? $"[{index}]" : "");
            if (!checks.Contains(names[index]))
            {
                section.Errors.AtValue(path, $"names the check '{Clip.To(names[index], 80)}', which the diagnosis does not have.",
                    $"{Suggestion.For(names[index], checks)}{(checks.Count == 0 ? "Add it to 'diagnosis'." : $"The checks are: {string.Join(", ", checks)}.")}");
            }
            else if (names.Take(index).Contains(names[index]))
            {
                section.Errors.AtValue(path, $"names the check '{names[index]}' twice.", "Remove one of them.");
            }
        }

        return names;
    }
}
