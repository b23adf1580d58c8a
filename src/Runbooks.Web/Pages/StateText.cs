namespace Runbooks.Web.Pages;

/// <summary>States as the outside contract writes them.</summary>
internal static class StateText
{
    private static readonly Dictionary<string, IncidentState> s_byWord =
        Enum.GetValues<IncidentState>().ToDictionary(Of, StringComparer.OrdinalIgnoreCase);

    public static string All => string.Join(", ", s_byWord.Keys);

    /// <summary>What a listing may be filtered by.</summary>
    public static string Filters => $"open, final, {ConsoleFilter.NeedsAPerson}, {All}";

    public static string Of(IncidentState state) => CamelCase.Of(state);

    public static bool TryParse(string word, out IncidentState state) => s_byWord.TryGetValue(word, out state);

    /// <returns>Only incidents of this state, or of these; null when it is none of <see cref="Filters"/>.</returns>
    public static IncidentQuery? Filter(IncidentQuery query, string word) => word switch
    {
        "open" or "final" => query with { Open = word == "open" },
        ConsoleFilter.NeedsAPerson => query with { LeftToPeople = true },
        _ => TryParse(word, out var state) ? query with { State = state } : null,
    };
}
