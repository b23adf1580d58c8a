using Runbooks.Notifications;

namespace TestKit.People;

/// <summary>A schedule that says what the test says.</summary>
public sealed class ScriptedSchedule(string kind = "rota") : IOnCallSource
{
    public List<OnCallShift> Shifts { get; } = [];

    /// <summary>Why it cannot be asked; null when it can.</summary>
    public string? Fault { get; set; }

    /// <summary>It takes the question and never answers.</summary>
    public bool Hangs { get; set; }

    public DateTimeOffset? KnownUntil { get; set; }

    /// <summary>What happens while it answers; it is told how often it was asked.</summary>
    public Action<int>? Answering { get; set; }

    /// <summary>How often it was asked.</summary>
    public int Asked { get; private set; }

    public string Kind => kind;

    public string IdFormat => "the schedule's id";

    public string? ConfigurationError { get; set; }

    public string? ValidateId(string id) => id == "bad" ? "it is bad." : null;

    public string Describe(string id) => $"{kind} schedule {id}";

    /// <summary>From now on this person is on call, and nobody else.</summary>
    public ScriptedSchedule Put(string person, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        Shifts.Clear();
        return And(person, from, until);
    }

    public ScriptedSchedule And(string person, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        Shifts.Add(new(new(person, [person], person.Contains('@', StringComparison.Ordinal) ? person : null), from, until));
        return this;
    }

    public async Task<OnCallRoster> ReadAsync(OnCallSchedule schedule, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        Asked++;
        await (Hangs ? new TaskCompletionSource().Task : Task.CompletedTask);
        await Task.Yield();
        Answering?.Invoke(Asked);
        return Fault is null ? new([.. Shifts], KnownUntil) : throw new OnCallException(Fault);
    }
}
