using Runbooks.Model.Incidents;

namespace Runbooks.Web.Decisions;

/// <summary>Decisions as bodies and forms write them.</summary>
internal static class VerbWords
{
    public const string Remedy = "Use approve, reject or takeOver.";
    private const int LongestReason = 1_000;

    public static bool TryParse(string? word, out Verb verb)
    {
        (var known, verb) = word?.Trim().ToUpperInvariant() switch
        {
            "APPROVE" => (true, Verb.Approve),
            "REJECT" => (true, Verb.Reject),
            "TAKEOVER" => (true, Verb.TakeOver),
            _ => (false, default),
        };
        return known;
    }

    public static string? Reason(string? reason) => string.IsNullOrWhiteSpace(reason) ? null : Words.Clip(reason.Trim(), LongestReason);
}
