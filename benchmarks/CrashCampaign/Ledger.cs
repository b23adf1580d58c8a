using System.Collections.Concurrent;
using System.Net;

namespace CrashCampaign;

/// <summary>What the driver did and was answered: the only thing that the checker believes.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentQueue<Sent> _sent = new();
    private readonly ConcurrentQueue<DateTimeOffset> _kills = new();

    public IReadOnlyCollection<Sent> Sent => _sent;

    public IReadOnlyCollection<DateTimeOffset> Kills => _kills;

    public void Add(Sent sent) => _sent.Enqueue(sent);

    public void Killed() => _kills.Enqueue(DateTimeOffset.UtcNow);
}

/// <summary>One request of the driver.</summary>
/// <param name="What"><c>alert</c>, <c>resolved</c>, <c>decision</c> or <c>cancel</c>.</param>
/// <param name="Who">The fingerprint of an alert; who decided and what: <c>ada approve</c>.</param>
internal sealed record Sent(Plan Story, string What, string Who, DateTimeOffset At, Answer Answer)
{
    /// <summary>It was said to be recorded.</summary>
    public bool Accepted => Answer.Status is HttpStatusCode.OK or HttpStatusCode.Accepted;

    /// <summary>The connection broke: it may have been recorded or not.</summary>
    public bool Unknown => Answer.Status == 0;
}

/// <summary>What a story is going to be; made of the seed and its number alone.</summary>
/// <param name="Target">Named as the sandbox's pods that hang until they are recycled.</param>
internal sealed record Plan(int Number, Kind Kind, string Target, int Alerts, double Moment)
{
    public static Plan Of(int seed, int number)
    {
        var random = new Random(unchecked((seed * 7919) + number));
        var kinds = Enum.GetValues<Kind>();
        var kind = kinds[random.Next(kinds.Length)];
        return new Plan(number, kind, kind is Kind.Unmatched ? $"{number}" : $"llm-b-{1_000 + number}", random.Next(1, 4), random.NextDouble());
    }

    public string Alert => Kind switch
    {
        Kind.Rotate => "KeyLeaked",
        Kind.Lease => "NeedsFlag",
        Kind.Heal => "HealsItself",
        Kind.Unmatched => $"NobodyKnows{Target}",
        _ => "PodHung",
    };
}

internal enum Kind
{
    /// <summary>One person approves a step that can be repeated.</summary>
    Approve,

    /// <summary>One person says no.</summary>
    Reject,

    /// <summary>Two people, one yes and one no, at the same moment.</summary>
    Race,

    /// <summary>Two people approve a step that cannot be repeated.</summary>
    Rotate,

    /// <summary>A temporary fix that is taken back by itself.</summary>
    Lease,

    /// <summary>Nobody is asked.</summary>
    Heal,

    /// <summary>Somebody cancels it, at any moment.</summary>
    Cancel,

    /// <summary>The pod recovers by itself, and the sender says so.</summary>
    Recovers,

    /// <summary>No runbook is for it.</summary>
    Unmatched,
}
