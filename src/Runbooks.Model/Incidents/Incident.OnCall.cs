namespace Runbooks.Model.Incidents;

/// <summary>Whom schedules meant, kept with the question: nothing asks a schedule about the past.</summary>
public sealed partial record Incident
{
    /// <summary>Records whom schedules meant for a message about this gate. What is known already is not written twice.</summary>
    public Incident RecordOnCall(string gateId, IReadOnlyList<OnCallRecord> meant)
    {
        var changed = this;
        foreach (var one in meant)
        {
            if (changed.FindGate(gateId) is not { } gate)
            {
                return this;
            }

            var last = gate.OnCallOf(one.Contact);
            changed = last is not null && last.SaysTheSameAs(one)
                ? changed.Replace(gate with { OnCall = [.. gate.OnCall.Select(known => known == last ? known with { Message = one.Message } : known)] })
                : changed.Replace(gate with { OnCall = [.. gate.OnCall, one] }).Note(one.At, TimelineKind.Gate, "runbook", $"{one.Contact}: {one.Words}");
        }

        return changed;
    }
}

/// <summary>Whom a contact that is a schedule meant when a message was sent.</summary>
/// <param name="Contact">The contact's name.</param>
/// <param name="Message">The latest message for which it was so; the same message is never sent to anybody else.</param>
/// <param name="People">Who was asked, by the names of the contacts.</param>
/// <param name="Words">For people: who, and from where that is known.</param>
/// <param name="At">When this was found out.</param>
public sealed record OnCallRecord(string Contact, string Message, IReadOnlyList<string> People, string Words, DateTimeOffset At)
{
    /// <summary>What said so, without secrets: <c>PagerDuty schedule PI7DH85</c>.</summary>
    public string Source { get; init; } = "";

    public OnCallFrom From { get; init; }

    /// <summary>When the shift ends; null where nobody says.</summary>
    public DateTimeOffset? Until { get; init; }

    public bool SaysTheSameAs(OnCallRecord other) => Words == other.Words && People.SequenceEqual(other.People, StringComparer.Ordinal);
}

/// <summary>Why these people were asked.</summary>
public enum OnCallFrom
{
    /// <summary>The schedule names them.</summary>
    Schedule,

    /// <summary>The schedule named nobody who is known, and the contact names these instead.</summary>
    NamedFallback,

    /// <summary>Nor did the contact: the contact <c>fallback</c> was asked.</summary>
    FallbackContact,
}
