namespace Runbooks.Catalog.Problems;

/// <summary>The lines of a file as YAML counts them, so that the places of errors fit.</summary>
internal static class FileLines
{
    private static readonly string[] s_ends = ["\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"];

    public static string[] Of(string text) => text.Split(s_ends, StringSplitOptions.None);
}
