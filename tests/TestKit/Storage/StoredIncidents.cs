using System.Globalization;
using System.Text.Json;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace TestKit.Storage;

/// <summary>Incidents and runbooks as small as a store needs them.</summary>
public static class StoredIncidents
{
    public static readonly DateTimeOffset Start = new(2026, 11, 2, 3, 0, 0, TimeSpan.Zero);

    public static Incident New(string id, string target = "inference/llm-b-0", string runbook = "hanged-gpu", int minute = 0) => new()
    {
        Id = id,
        RunbookId = runbook,
        RunbookHash = $"hash-of-{runbook}",
        Title = "Hung GPU",
        Target = target,
        Alert = new Alert { Source = "generic", Name = "HighLatency", Fingerprint = $"fp-{id}" },
        OpenedAt = Start.AddMinutes(minute),
        UpdatedAt = Start.AddMinutes(minute),
        AlertCount = 1,
    };

    /// <summary>Where nothing else is kept of an incident than its record.</summary>
    /// <inheritdoc cref="IIncidentStore.PurgeAsync"/>
    public static Task<IReadOnlyList<string>> PurgeAsync(this IIncidentStore store, DateTimeOffset endedBefore, CancellationToken cancellationToken) =>
        store.PurgeAsync(endedBefore, (_, _) => Task.FromResult(true), cancellationToken);

    public static Incident Closed(this Incident incident, int minute = 0) => incident with
    {
        State = IncidentState.Resolved,
        ClosedAt = Start.AddMinutes(minute),
        UpdatedAt = Start.AddMinutes(minute),
    };

    /// <summary>With a step that changed something and could take it back.</summary>
    public static Incident WithChange(this Incident incident, StepStatus status) => incident with
    {
        Steps =
        [
            new StepRecord
            {
                Phase = Phase.Mitigation,
                Name = "drain",
                Action = "script.act",
                GateId = "mitigation-1",
                Status = status,
                Preparation = new Preparation { PlannedEffect = "Drain node gpu-7.", UndoState = JsonSerializer.SerializeToElement(new { node = "gpu-7" }) },
                StartedAt = Start,
            },
        ],
    };

    /// <summary>Adds entries until the record is at least this long.</summary>
    public static Incident OfSize(this Incident incident, int characters)
    {
        var random = new Random(1);
        var lines = (characters / Incident.MaxText) + 1;
        // Random digits: a store that compresses is not let off.
        return Enumerable.Range(0, lines).Aggregate(incident, (grown, line) => grown.Note(
            Start, TimelineKind.Step, "runbook",
            string.Concat(Enumerable.Range(0, Incident.MaxText / 8).Select(_ => random.Next(10_000_000, 99_999_999).ToString(CultureInfo.InvariantCulture)))));
    }

    public static Runbook Runbook(string id = "hanged-gpu") => new()
    {
        Id = id,
        Title = "Hung GPU",
        Hash = $"hash-of-{id}",
        Trigger = [new Trigger("generic", "High*", ["Sev1"], new Dictionary<string, string> { ["cluster"] = "b" })],
        Target = "{{ labels.pod }}",
        Impact = new Impact(ImpactSeverity.Medium, "Timeouts.", "Safe."),
        Diagnosis = [new CheckSpec("gpu", "Is it full?", "always", JsonSerializer.SerializeToElement(new { finding = "failing" }), TimeSpan.FromSeconds(20))],
        Mitigation = new Mitigation
        {
            Approval = new Approval { Ask = "Recycle?", From = ["oncall"], Escalate = [new Escalation(TimeSpan.FromMinutes(10), ["lead"])] },
            Steps = [new StepSpec("recycle", "note", JsonSerializer.SerializeToElement(new { text = "x" }), StepSpec.DefaultTimeout, StepRetry.Default)],
        },
    };
}
