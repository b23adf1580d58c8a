namespace Runbooks.Catalog.Problems;

/// <summary>One thing that is wrong with a file, or that is probably not meant.</summary>
/// <param name="Line">Counted from 1, as is the column.</param>
/// <param name="Key">The path of the key, for example <c>mitigation.steps.recycle.do</c>; empty when the file as a whole is meant.</param>
/// <param name="Problem">A sentence that continues the key.</param>
/// <param name="Remedy">What to write instead; may be empty when the problem says it already.</param>
public sealed record CatalogError(string File, int Line, int Column, string Key, string Problem, string Remedy)
{
    /// <summary>Which warning it is, one of <see cref="WarningCodes"/>; null for an error, which nobody may mean.</summary>
    public string? Code { get; init; }

    public override string ToString() =>
        string.Join("  ", new[] { $"{File}:{Line}:{Column}", Key, Problem, Remedy, Code is null ? "" : $"[{Code}]" }.Where(part => part.Length > 0));
}

/// <summary>The lines of a file as YAML counts them, so that the places of errors fit.</summary>
internal static class FileLines
{
    private static readonly string[] s_ends = ["\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"];

    public static string[] Of(string text) => text.Split(s_ends, StringSplitOptions.None);
}
