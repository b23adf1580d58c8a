using System.Text.Json.Serialization;

namespace Runbooks.Model.Incidents;

/// <summary>
/// An incident that waits because an open incident of another runbook covers it. It asks nobody meanwhile; its own checks
/// are asked when the other has ended, however that ended.
/// </summary>
public sealed partial record Incident
{
    /// <summary>Incidents that one record lists as waiting for it; more wait all the same and look by themselves.</summary>
    public const int MaxSuppresses = 50;

    /// <summary>What it waits or waited for; null when it never did.</summary>
    public IncidentSuppression? SuppressedBy { get; init; }

    /// <summary>The incidents that wait, or waited, for this one to end.</summary>
    public IReadOnlyList<string> Suppresses { get; init; } = [];

    [JsonIgnore]
    public bool IsWaitingForOther => SuppressedBy is { Over: null } && !State.IsFinal();

    /// <summary>Whether incidents that it covers wait for it: until it ends, or until whoever took it over closes it.</summary>
    [JsonIgnore]
    public bool Covers => !State.IsFinal() || IsOwnedByResponder();

    /// <summary>Another one waits for this.</summary>
    public Incident Suppress(string id) => Suppresses.Contains(id) || Suppresses.Count >= MaxSuppresses ? this : this with { Suppresses = [.. Suppresses, id] };

    /// <param name="wakeEvent">What the end of the other raises.</param>
    public Incident WaitFor(Incident other, DateTimeOffset until, string wakeEvent, DateTimeOffset now)
    {
        var waits = this with { WakeEvent = wakeEvent };
        if (IsWaitingForOther && SuppressedBy!.Incident == other.Id)
        {
            return waits;
        }

        var why = $"Incident {other.Id} of '{other.Title}' on {IncidentText.Target(other.Target)} covers this one and is open. This one asks nobody until that has ended, at the latest at {GateText.Clock(until, now)}.";
        return (waits with { SuppressedBy = new(other.Id, other.RunbookId, other.Target, now, until), Reason = why }).Note(now, TimelineKind.Safety, "runbook", why);
    }

    /// <summary>Says nothing about an incident that does not wait.</summary>
    /// <param name="why">In words.</param>
    public Incident StopWaiting(string why, DateTimeOffset now) => SuppressedBy is { Over: null } waited && !State.IsFinal()
        ? (this with { SuppressedBy = waited with { Over = now }, Reason = null }).Note(now, TimelineKind.Safety, "runbook", why)
        : this;
}

/// <param name="Incident">The other incident.</param>
/// <param name="Until">It waits no longer than this.</param>
/// <param name="Over">When it stopped waiting; null while it waits.</param>
public sealed record IncidentSuppression(string Incident, string Runbook, string Target, DateTimeOffset Since, DateTimeOffset Until, DateTimeOffset? Over = null);
