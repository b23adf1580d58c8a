using Runbooks.Model.Storage;

namespace Runbooks.Watchdog;

/// <summary>
/// Lets one of several processes on the same store watch: two that look at once would page twice. One that dies is
/// followed by another within minutes.
/// </summary>
/// <param name="holder">Names this process among them.</param>
public sealed class WatchTurn(ISharedState state, TimeProvider time, string holder)
{
    private const string Key = "watch";

    /// <summary>Longer than the pause between two looks, so that the turn stays where it is.</summary>
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(150);

    /// <returns>Whether this process watches for the next minutes.</returns>
    /// <exception cref="StoreUnavailableException">Nobody can say whose turn it is.</exception>
    public async Task<bool> TakeAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return (await state.UpdateAsync<Turn, bool>(
            Key,
            turn => turn is null || turn.Holder == holder || turn.Until <= now ? (new(holder, now + Length), true) : (turn, false),
            cancellationToken)).Result;
    }

    public sealed record Turn(string Holder, DateTimeOffset Until);
}
