namespace Runbooks.Web.Slack;

/// <summary>
/// Remembers signatures for as long as they would be taken. Each host remembers its own: a click that is played again to
/// another one is told that it was counted already, because decisions count once wherever they arrive.
/// </summary>
public sealed class SlackReplays(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _seen = new(StringComparer.Ordinal);
    private readonly Queue<(string Signature, DateTimeOffset Until)> _order = new();

    /// <returns>False when it was seen before.</returns>
    public bool IsNew(string signature)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            while (_order.TryPeek(out var oldest) && oldest.Until <= now)
            {
                _seen.Remove(_order.Dequeue().Signature);
            }

            // Twice the window: the timestamp may lie as far in the future as in the past.
            var until = now + (2 * SlackSignature.Window);
            if (!_seen.TryAdd(signature, until))
            {
                return false;
            }

            _order.Enqueue((signature, until));
            return true;
        }
    }
}
