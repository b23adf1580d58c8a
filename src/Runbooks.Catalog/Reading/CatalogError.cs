namespace Runbooks.Catalog.Reading;

/// <summary>One thing that is wrong with a runbook file.</summary>
/// <param name="Line">Counted from 1, as is the column.</param>
/// <param name="Key">The path of the key, for example <c>mitigation.steps.recycle.do</c>; empty when the file as a whole is meant.</param>
/// <param name="Problem">A sentence that continues the key.</param>
/// <param name="Remedy">What to write instead; may be empty when the problem says it already.</param>
public sealed record CatalogError(string File, int Line, int Column, string Key, string Problem, string Remedy)
{
    public override string ToString() =>
        string.Join("  ", new[] { $"{File}:{Line}:{Column}", Key, Problem, Remedy }.Where(part => part.Length > 0));
}
