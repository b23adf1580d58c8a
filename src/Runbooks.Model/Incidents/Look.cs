namespace Runbooks.Model.Incidents;

/// <summary>What the checks answered when they were asked again.</summary>
/// <param name="State">Verifying or holding.</param>
/// <param name="At">The first of the rounds.</param>
/// <param name="Verdicts">By the check's name in the runbook.</param>
/// <param name="Rounds">How many rounds in a row answered the same.</param>
public sealed record Look(IncidentState State, DateTimeOffset At, IReadOnlyDictionary<string, Verdict> Verdicts, int Rounds);

public static class IncidentLooks
{
    /// <summary>Changes that one record keeps; a check that comes and goes for days must not bloat it.</summary>
    public const int MaxKept = 100;

    /// <summary>With one more round; a round like the one before is only counted.</summary>
    internal static IReadOnlyList<Look> Add(this IReadOnlyList<Look> looks, IncidentState state, IReadOnlyList<Finding> findings, DateTimeOffset now)
    {
        if (looks.Count > 0 && looks[^1] is var last && last.State == state && IsSame(last, findings))
        {
            return [.. looks.SkipLast(1), last with { Rounds = last.Rounds + 1 }];
        }

        return looks.Count < MaxKept
            ? [.. looks, new Look(state, now, findings.ToDictionary(finding => finding.Name, finding => finding.Verdict), 1)]
            : looks;
    }

    private static bool IsSame(Look look, IReadOnlyList<Finding> findings) =>
        look.Verdicts.Count == findings.Count
        && findings.All(finding => look.Verdicts.TryGetValue(finding.Name, out var verdict) && verdict == finding.Verdict);
}
