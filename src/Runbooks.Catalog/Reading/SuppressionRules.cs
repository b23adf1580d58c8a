namespace Runbooks.Catalog.Reading;

/// <summary>What only all files together can tell about <c>suppressedBy</c>: whether the other runbook is there, and does not wait in turn.</summary>
internal static class SuppressionRules
{
    private const string Key = "suppressedBy.runbook";

    /// <param name="files">Every runbook that could be read.</param>
    /// <param name="whole">Whether these are all there are: otherwise nobody can say that an id is not there.</param>
    public static IEnumerable<CatalogError> Check(IReadOnlyList<(string File, ReadResult Result)> files, bool whole)
    {
        var others = files
            .Where(file => file.Result.Runbook is not null)
            .GroupBy(file => file.Result.Runbook!.Id, StringComparer.Ordinal)
            .ToDictionary(same => same.Key, same => same.First().Result.Runbook!.SuppressedBy?.Runbook, StringComparer.Ordinal);
        foreach (var (file, result) in files)
        {
            if (result.Runbook is not { SuppressedBy.Runbook: var other } runbook)
            {
                continue;
            }

            if (!others.ContainsKey(other))
            {
                if (whole)
                {
                    yield return Error(file, result.SuppressedByAt, $"names '{Clip.To(other, 80)}', and no runbook has that id.", $"{Suggestion.For(other, others.Keys)}Name the id of a runbook.");
                }
            }
            else if (CycleOf(runbook.Id, others) is { } cycle)
            {
                yield return Error(file, result.SuppressedByAt, $"closes a circle: {string.Join(", ", cycle.Zip(cycle.Skip(1), (one, next) => $"'{one}' waits for '{next}'"))}.", "Remove 'suppressedBy' from one of them; the one that stands for the cause waits for none.");
            }
        }
    }

    /// <returns>The ids from this one to itself; null when it does not come back to itself.</returns>
    private static List<string>? CycleOf(string id, Dictionary<string, string?> others)
    {
        List<string> way = [id];
        for (var next = others[id]; next is not null && way.Count <= others.Count; next = others.GetValueOrDefault(next))
        {
            way.Add(next);
            if (next == id)
            {
                return way;
            }
        }

        return null;
    }

    private static CatalogError Error(string file, Position at, string problem, string remedy) => new(file, at.Line, at.Column, Key, problem, remedy);
}
