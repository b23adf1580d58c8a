using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Guardrails;

/// <summary>The runs of one runbook on one target that a limit may still have to count, oldest first.</summary>
public sealed record RunHistory(IReadOnlyList<CountedRun> Runs)
{
    public static readonly RunHistory None = new([]);

    /// <returns>Why another incident's run would be too much, in words; null when it would not.</returns>
    public string? Exceeded(Limits limits, string incidentId, DateTimeOffset now)
    {
        if (Runs.Any(run => run.Incident == incidentId))
        {
            return null;
        }

        if (Runs.Count > 0 && now - Runs[^1].At < limits.CoolDown)
        {
            return $"It ran on this target {Ago(now - Runs[^1].At)} ago; the cool-down is {DurationText.Format(limits.CoolDown)}.";
        }

        var recent = Runs.Count(run => now - run.At < limits.Per);
        return recent >= limits.MaxRuns
            ? $"It ran {recent} times on this target within {DurationText.Format(limits.Per)}; the limit is {limits.MaxRuns}."
            : null;
    }

    /// <summary>An incident counts once. More than the limit itself need not be remembered.</summary>
    public RunHistory With(Limits limits, string incidentId, DateTimeOffset now) =>
        Runs.Any(run => run.Incident == incidentId)
            ? this
            : new([.. Runs.Append(new(incidentId, now)).TakeLast(limits.MaxRuns ?? 1)]);

    public RunHistory Without(string incidentId) =>
        Runs.Any(run => run.Incident == incidentId) ? new([.. Runs.Where(run => run.Incident != incidentId)]) : this;

    private static string Ago(TimeSpan ago) => DurationText.Format(TimeSpan.FromSeconds(Math.Max(1, Math.Floor(ago.TotalSeconds))));
}

public sealed record CountedRun(string Incident, DateTimeOffset At);
