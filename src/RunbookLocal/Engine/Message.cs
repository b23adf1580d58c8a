using Runbooks.Engine.Replay;

namespace RunbookLocal.Engine;

/// <summary>Something for an instance to look at.</summary>
/// <param name="Happened">What happened, not yet journalled; null only to make the instance look at itself.</param>
/// <param name="Taken">Answered once it is journalled, or once it is clear that it need not be.</param>
internal sealed record Message(HistoryEvent? Happened, TaskCompletionSource? Taken = null)
{
    public static Message Look { get; } = new((HistoryEvent?)null);
}
