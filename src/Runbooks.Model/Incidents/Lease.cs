namespace Runbooks.Model.Incidents;

/// <param name="Held">One line for each step.</param>
/// <param name="Until">When a person is paged if it is still there. The fix stays in place.</param>
/// <param name="HealthySince">Since when every check has passed without a break. Null while one does not.</param>
public sealed record Lease(IReadOnlyList<string> Held, DateTimeOffset Since, DateTimeOffset Until, Hold Hold, DateTimeOffset? HealthySince)
{
    /// <summary>Null if no temporary fix is in place.</summary>
    public static Lease? Of(Incident incident, Runbook runbook)
    {
        if (incident.State != IncidentState.Holding || runbook.Mitigation.HoldUntil is not { } hold)
        {
            return null;
        }

        var rounds = incident.VerificationRounds.Where(round => round.State == IncidentState.Holding).ToList();
        var since = SinceOf(incident)!.Value;
        return new(ChangeText.InPlace(incident), since, since + hold.AtMost, hold, PassingSince(rounds, hold));
    }

    /// <summary>The checks that verify the fix are asked too, but they do not count here.</summary>
    private static DateTimeOffset? PassingSince(List<VerificationRound> rounds, Hold hold)
    {
        DateTimeOffset? since = null;
        foreach (var round in Enumerable.Reverse(rounds).TakeWhile(round => hold.Checks.All(name => round.Verdicts.GetValueOrDefault(name, Verdict.Unknown) == Verdict.Passing)))
        {
            since = round.At;
            if (round.IsAnew || round.LeftOut > 0)
            {
                break;
            }
        }

        return since;
    }

    /// <summary>When the checks were first asked while holding. Null if no temporary fix is in place.</summary>
    public static DateTimeOffset? SinceOf(Incident incident) => incident.State != IncidentState.Holding ? null
        : incident.VerificationRounds.FirstOrDefault(round => round.State == IncidentState.Holding)?.At ?? incident.UpdatedAt;

    public string WhatEndsIt =>
        $"It is taken back once {string.Join(", ", Hold.Checks)} {CountText.Have(Hold.Checks.Count)} "
        + $"passed for {DurationText.Format(Hold.StableFor)} without a break.";

    /// <remarks>If measurements arrive late, it takes that much longer.</remarks>
    public string HowFar(DateTimeOffset now) => HealthySince is { } healthy
        ? $"The checks have passed since {GateText.Clock(healthy, now)}: "
            + $"{DurationText.Format(DurationText.Whole(now - healthy < Hold.StableFor ? now - healthy : Hold.StableFor))} of "
            + $"{DurationText.Format(Hold.StableFor)}."
        : "The checks do not pass yet, so the time has not begun to count.";
}

public static class ChangeText
{
    private const int MaxLines = 5;

    public static IReadOnlyList<string> InPlace(Incident incident) =>
        [.. incident.Steps.Where(step => IsInPlace(incident, step)).Take(MaxLines).Select(Line)];

    private static string Line(StepRecord step)
    {
        var done = step.Status is StepStatus.Done or StepStatus.Kept ? step.Outcome : null;
        return Clip.To($"{step.Name}: {done ?? step.Preparation.PlannedEffect}", 200);
    }

    /// <summary>
    /// Whether to list the step's change. While the incident runs or has a responder, every change of the mitigation is. After another end,
    /// only what should have been undone and was not, or what a broken automation left behind, until a person closes the incident.
    /// </summary>
    private static bool IsInPlace(Incident incident, StepRecord step) =>
        step is { Phase: Phase.Mitigation, Preparation: { UndoState: not null, TellsOnly: false } }
        && (incident.MakesRoom()
            ? incident.CanBeClosedByHand()
                && (step.Status is StepStatus.UndoFailed or StepStatus.Kept || (IsLeftBehind(incident) && MayBeThere(step)))
            : MayBeThere(step) || step.Status is StepStatus.UndoFailed or StepStatus.Kept);

    private static bool MayBeThere(StepRecord step) =>
        step.Status is StepStatus.Done or StepStatus.Running or StepStatus.Failed or StepStatus.Unknown;

    /// <summary>Nothing undid it. A verified fix stays on purpose when the resolution fails.</summary>
    private static bool IsLeftBehind(Incident incident) =>
        incident.State == IncidentState.Failed && !incident.KeepsFix;
}
