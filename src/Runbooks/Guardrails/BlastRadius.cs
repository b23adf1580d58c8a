using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Guardrails;

/// <summary>The targets that one runbook acted on lately, and when last. Bounded by the limit it serves.</summary>
public sealed record BlastRadius(IReadOnlyDictionary<string, DateTimeOffset> Targets)
{
    public static readonly BlastRadius None = new(new Dictionary<string, DateTimeOffset>());

    /// <returns>Why one target more would be too much, in words; null when it would not.</returns>
    public string? Exceeded(Limits limits, string target, DateTimeOffset now)
    {
        if (limits.MaxTargets is not { } most || Recent(limits, now).Any(known => known.Key == target))
        {
            return null;
        }

        var reached = Recent(limits, now).Count();
        return reached >= most
            ? $"It acted on {reached} targets within {DurationText.Format(limits.Per)}; the limit is {most}. What breaks everywhere at once is rarely fixed one by one."
            : null;
    }

    public BlastRadius With(Limits limits, string target, DateTimeOffset now) =>
        new(Recent(limits, now).Where(known => known.Key != target).Append(new(target, now)).TakeLast((limits.MaxTargets ?? 0) + 1).ToDictionary());

    private IEnumerable<KeyValuePair<string, DateTimeOffset>> Recent(Limits limits, DateTimeOffset now) =>
        Targets.Where(known => now - known.Value < limits.Per).OrderBy(known => known.Value);
}
