namespace Runbooks.Telemetry;

/// <summary>
/// Writes metrics and spans from what changed in a stored record. So a replay writes nothing twice, and a wait that a restart interrupts
/// gets its true length.
/// </summary>
internal static class IncidentTelemetry
{
    public static void Opened(Incident incident, TimeSpan took)
    {
        Instruments.Opened.Add(1, Runbook(incident), Mode(incident));
        if (Instruments.Spans.HasListeners())
        {
            new IncidentSpans(incident).Intake(incident.OpenedAt, incident.OpenedAt + took, "opened");
        }
    }

    public static void Changed(Incident before, Incident after, TimeSpan took)
    {
        if (ReferenceEquals(before, after))
        {
            return;
        }

        Count(before, after);
        if (Instruments.Spans.HasListeners())
        {
            new IncidentSpans(after).Changed(before, took);
        }
    }

    private static void Count(Incident before, Incident after)
    {
        if (after.State.IsFinal() && !before.State.IsFinal())
        {
            Instruments.Closed.Add(1, Runbook(after), Mode(after), Instruments.Tag(Attributes.Outcome, CamelCase.Of(after.State)));
            if (EndingText.IsFixed(after))
            {
                Instruments.TimeToResolve.Record(After(after, after.EndedAt), Runbook(after), Mode(after));
            }
        }

        var isFirstAnswer = Instruments.TimeToAcknowledge.Enabled && MayBeAnswered(before, after) && before.FirstResponseAt() is null;
        if (isFirstAnswer && after.FirstResponseAt() is { } answered)
        {
            Instruments.TimeToAcknowledge.Record(After(after, answered), Runbook(after), Mode(after));
        }

        var hasNewRounds = !ReferenceEquals(before.VerificationRounds, after.VerificationRounds);
        if (Instruments.TimeToMitigate.Enabled && hasNewRounds && before.MitigatedAt() is null && after.MitigatedAt() is { } mitigated)
        {
            Instruments.TimeToMitigate.Record(After(after, mitigated), Runbook(after), Mode(after));
        }

        foreach (var step in Finished(before, after))
        {
            Instruments.Steps.Record(
                (step.FinishedAt!.Value - step.StartedAt).TotalSeconds,
                Runbook(after),
                Instruments.Tag(Attributes.Action, step.Action),
                Instruments.Tag(Attributes.Phase, CamelCase.Of(step.Phase)),
                Instruments.Tag(Attributes.Outcome, CamelCase.Of(step.Status)));
        }
    }

    /// <summary>Saves work: most changes cannot be a person's first answer.</summary>
    private static bool MayBeAnswered(Incident before, Incident after) =>
        !ReferenceEquals(before.Gates, after.Gates)
        || !ReferenceEquals(before.Stop, after.Stop)
        || !ReferenceEquals(before.Attention, after.Attention);

    public static IEnumerable<StepRecord> Finished(Incident before, Incident after) => ReferenceEquals(before.Steps, after.Steps)
        ? []
        : after.Steps.Where(step => step.FinishedAt is not null && before.FindStep(step.Phase, step.Name)?.FinishedAt is null);

    private static double After(Incident incident, DateTimeOffset? at) =>
        Math.Max(0, ((at ?? incident.OpenedAt) - incident.OpenedAt).TotalSeconds);

    private static KeyValuePair<string, object?> Runbook(Incident incident) => Instruments.Tag(Attributes.Runbook, incident.RunbookId);

    private static KeyValuePair<string, object?> Mode(Incident incident) => Instruments.Tag(Attributes.Mode, CamelCase.Of(incident.Mode));
}
