namespace Runbooks.Model.Incidents;

/// <summary>
/// A record that was put back from a backup does not say what was done since. Nothing more is done on its word alone: a person
/// says yes again, and what was changed before is taken back by a person.
/// </summary>
public sealed partial record Incident
{
    /// <summary>When the record was found to be an earlier copy of itself; null for any other.</summary>
    public DateTimeOffset? RestoredAt { get; init; }

    /// <summary>What people are told of it.</summary>
    public const string RestoredText =
        "The record of this incident was restored from a backup. What was done after the backup was made is not in it: look at the target before you approve anything. Nothing more is done unless a person says yes again.";

    public Incident NoteRestored(DateTimeOffset now) => State.IsFinal()
        ? this
        : (this with { RestoredAt = now }).AddNews($"restored:{now.UtcTicks}", "runbook", RestoredText, now, urgent: true);

    /// <summary>
    /// Whether a person has said yes to what the automation does since the record was restored; true of a record that never was.
    /// That somebody did a step by hand is no such yes.
    /// </summary>
    [JsonIgnore]
    public bool IsAgreedSinceRestored => RestoredAt is not { } restored
        || Gates.Any(gate => gate is { Task: null, Outcome: GateOutcome.Approved } && gate.Decisions.Any(decision => decision.Verb == DecisionVerb.Approve && decision.At > restored));
}
