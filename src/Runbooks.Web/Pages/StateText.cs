using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Web.Pages;

/// <summary>States as the outside contract writes them.</summary>
internal static class StateText
{
    private static readonly Dictionary<string, IncidentState> s_byWord =
        Enum.GetValues<IncidentState>().ToDictionary(Of, StringComparer.OrdinalIgnoreCase);

    public static string All => string.Join(", ", s_byWord.Keys);

    public static string Of(IncidentState state) => CamelCase.Of(state);

    public static bool TryParse(string word, out IncidentState state) => s_byWord.TryGetValue(word, out state);
}
