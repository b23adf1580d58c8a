namespace Runbooks.Model.Incidents;

/// <summary>Asks again at this time: the same contacts if <paramref name="To"/> is empty, otherwise these too.</summary>
public sealed record Reminder(DateTimeOffset At, IReadOnlyList<string> To) : Evolving
{
    /// <summary>
    /// After this many reminders the pause doubles each time, so that a question that is open for days is neither repeated every few
    /// minutes nor forgotten.
    /// </summary>
    private const int Steady = 10;

    /// <summary>It asks those who were not reached or could not answer, even if no other reminders are sent.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsKept { get; init; }

    /// <summary>Soonest first.</summary>
    /// <param name="every">The pause between reminders. Null for none.</param>
    public static IReadOnlyList<Reminder> Of(TimeSpan? every, IEnumerable<Escalation> escalations, TimeSpan timeout, DateTimeOffset now)
    {
        var reminders = escalations.Select(escalation => new Reminder(now + escalation.After, escalation.To)).ToList();
        var pause = every ?? timeout;
        for (var (after, count) = (pause, 1); after > TimeSpan.Zero && after < timeout; after += pause, count++)
        {
            reminders.Add(new Reminder(now + after, []));
            pause = count < Steady ? pause : pause * 2;
        }

        return [.. reminders.OrderBy(reminder => reminder.At)];
    }
}
