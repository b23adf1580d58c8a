namespace Runbooks.Catalog.Problems;

/// <summary>An error or a warning about a file.</summary>
/// <param name="Line">Counted from 1, like the column.</param>
/// <param name="Key">The path of the key, for example <c>mitigation.steps.recycle.do</c>. Empty for the whole file.</param>
/// <param name="Problem">A sentence that continues the key.</param>
/// <param name="Remedy">What to write instead. Empty if the problem says it already.</param>
public sealed record CatalogError(string File, int Line, int Column, string Key, string Problem, string Remedy)
{
    /// <summary>One of <see cref="WarningCodes"/>. Null for an error, which cannot be allowed.</summary>
    public string? Code { get; init; }

    public override string ToString() =>
        string.Join(
            "  ",
            new[] { $"{File}:{Line}:{Column}", Key, Problem, Remedy, Code is null ? "" : $"[{Code}]" }.Where(part => part.Length > 0));
}

/// <summary>Lines as YAML counts them.</summary>
internal static class FileLines
{
    private static readonly string[] s_ends = ["\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"];

    public static string[] Of(string text) => text.Split(s_ends, StringSplitOptions.None);
}
