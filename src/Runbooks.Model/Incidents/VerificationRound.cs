using System.Text.Json.Serialization;

namespace Runbooks.Model.Incidents;

/// <summary>What the checks answered when they were asked again.</summary>
/// <param name="State">Verifying or holding.</param>
/// <param name="At">The first of the rounds.</param>
/// <param name="Verdicts">By the check's name in the runbook.</param>
/// <param name="Rounds">How many rounds in a row answered the same.</param>
public sealed record VerificationRound(IncidentState State, DateTimeOffset At, IReadOnlyDictionary<string, Verdict> Verdicts, int Rounds)
{
    /// <summary>Rounds between the one before of its state and this that the record had no room for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }

    /// <summary>Nobody had looked for so long that passing counts anew from here.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsAnew { get; init; }
}

public static class VerificationRounds
{
    /// <summary>Changes that one record keeps, the first and the newest; a check that comes and goes for days must not bloat it.</summary>
    public const int MaxKept = 100;

    /// <summary>With one more round; a round like the one before is only counted.</summary>
    /// <param name="anew">It stands for itself, though it answers like the one before.</param>
    internal static IReadOnlyList<VerificationRound> Add(this IReadOnlyList<VerificationRound> rounds, IncidentState state, IReadOnlyList<Finding> findings, DateTimeOffset now, bool anew = false)
    {
        if (!anew && rounds.Count > 0 && rounds[^1] is var last && last.State == state && IsSame(last, findings))
        {
            return [.. rounds.SkipLast(1), last with { Rounds = last.Rounds + 1 }];
        }

        List<VerificationRound> all = [.. rounds, new(state, now, findings.ToDictionary(finding => finding.Name, finding => finding.Verdict), 1) { IsAnew = anew }];
        return all.Count <= MaxKept ? all : WithoutOne(all);
    }

    /// <summary>Without one in the middle. What began a state and what was seen last in it stay, and so does whatever tells whether the fix helped.</summary>
    private static List<VerificationRound> WithoutOne(List<VerificationRound> rounds)
    {
        var inner = rounds.GroupBy(round => round.State).SelectMany(ofState => ofState.Skip(1).SkipLast(1)).ToHashSet(ReferenceEqualityComparer.Instance);
        var others = rounds.Where(round => inner.Contains(round) && round.State != IncidentState.Verifying).ToList();
        var choice = others.Count > 0 ? others : [.. rounds.Where(inner.Contains)];
        var gone = choice[choice.Count / 2];
        var place = rounds.IndexOf(gone);
        var next = rounds.FindIndex(place + 1, round => round.State == gone.State);
        rounds[next] = rounds[next] with { LeftOut = rounds[next].LeftOut + gone.LeftOut + gone.Rounds };
        rounds.RemoveAt(place);
        return rounds;
    }

    private static bool IsSame(VerificationRound round, IReadOnlyList<Finding> findings) =>
        round.Verdicts.Count == findings.Count
        && findings.All(finding => round.Verdicts.TryGetValue(finding.Name, out var verdict) && verdict == finding.Verdict);
}

