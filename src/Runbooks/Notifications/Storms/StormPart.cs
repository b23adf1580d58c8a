namespace Runbooks.Notifications.Storms;

/// <summary>Incidents of a storm that ask for the same: at one point of the story of one runbook. What one of them asks for stands for all.</summary>
internal sealed record StormPart(Runbook Runbook, IReadOnlyList<Incident> Incidents)
{
    public Incident Example => Incidents[0];

    public Gate Gate => Example.OpenGate!;

    public bool AsksForWork => Gate.Task is not null;

    public bool IsDryRun => Example.Mode == RunMode.DryRun;

    /// <summary>The largest first. What is asked anew may be about other steps than before.</summary>
    public static IReadOnlyList<StormPart> Of(IReadOnlyList<Incident> asking, IReadOnlyDictionary<string, Runbook> runbooks) =>
    [
        .. asking
            .GroupBy(incident => (incident.RunbookId, incident.Mode == RunMode.DryRun, incident.OpenGate!.Phase, incident.OpenGate.Task?.Step, incident.OpenGate.Task?.Undoes, IsAnew(incident.OpenGate)))
            .Select(group => new StormPart(runbooks[group.Key.RunbookId], [.. group]))
            .OrderByDescending(part => part.Incidents.Count),
    ];

    /// <summary>What tells it from the other parts.</summary>
    /// <param name="isOnly">No other runbook asks.</param>
    public string Name(bool isOnly) => string.Join(", ", new[]
    {
        isOnly ? null : Runbook.Title,
        Gate.Task is { } task ? task.Undoes ? $"taking back {task.Step}" : task.Step : Gate.Phase == Phase.Resolution ? "resolution" : isOnly ? "mitigation" : null,
        IsAnew(Gate) ? "asked anew" : null,
        IsDryRun ? "dry run" : null,
    }.OfType<string>());

    private static bool IsAnew(Gate gate) => gate is { Task: null, Round: > 1 };
}
