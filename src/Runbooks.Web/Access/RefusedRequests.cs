namespace Runbooks.Web.Access;

/// <summary>
/// Who wanted what without the role or the source for it, for whoever looks after the system. Kept in the shared state: what is alike is one
/// line, written at most once a minute by each host, and of many lines the latest stay. All are in the log.
/// </summary>
public sealed class RefusedRequests(ISharedState state, TimeProvider time, ILogger<RefusedRequests> logger)
{
    public const int MaxLines = 60;

    private const string Key = "access:refused";
    private const int LongestText = 200;
    private static readonly TimeSpan s_pause = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Who, string What), (int Count, DateTimeOffset WrittenAt)> _recent = [];

    /// <summary>The latest first.</summary>
    public async Task<IReadOnlyList<RefusedRequest>> ReadAsync(CancellationToken cancellationToken) =>
        (await state.FindAsync<RefusedList>(Key, cancellationToken))?.Requests ?? [];

    internal async Task RecordAsync(string who, string what, string role, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var line = new RefusedRequest(Clip.To(who, LongestText), CleanText.Clean(what, LongestText, oneLine: true), role, 0, now, now);
        if (Count(line, now) is not { } count)
        {
            return;
        }

        try
        {
            await state.ChangeAsync<RefusedList>(Key, known => Add(known ?? new([]), line with { Count = count }), cancellationToken);
        }
        // It is in the log; whoever is refused is told so whatever the store's trouble.
        catch (Exception trouble) when (!cancellationToken.IsCancellationRequested)
        {
            Log.RefusalNotKept(logger, trouble);
        }
    }

    /// <returns>How many there were since the last time that it was written; null: not yet again.</returns>
    private int? Count(RefusedRequest line, DateTimeOffset now)
    {
        lock (_gate)
        {
            var (count, written) = _recent.GetValueOrDefault((line.Who, line.What));
            if (now - written < s_pause)
            {
                _recent[(line.Who, line.What)] = (count + 1, written);
                return null;
            }

            foreach (var old in _recent.Where(one => now - one.Value.WrittenAt >= s_pause).Select(one => one.Key).ToList())
            {
                _recent.Remove(old);
            }

            // Whoever asks for everything there is writes no more than this.
            if (_recent.Count >= MaxLines)
            {
                return null;
            }

            _recent[(line.Who, line.What)] = (0, now);
            return count + 1;
        }
    }

    private static RefusedList Add(RefusedList list, RefusedRequest one)
    {
        var earlier = list.Requests.FirstOrDefault(known => known.Who == one.Who && known.What == one.What);
        var merged = earlier is null ? one : one with { Count = earlier.Count + one.Count, FirstAt = earlier.FirstAt };
        return new([merged, .. list.Requests.Where(known => known != earlier).Take(MaxLines - 1)]);
    }

    /// <param name="Requests">The latest first.</param>
    private sealed record RefusedList(IReadOnlyList<RefusedRequest> Requests);
}

/// <summary>Requests that were refused because of their role, or of the sources of their key.</summary>
/// <param name="Who">The key's name, or whoever was signed in.</param>
/// <param name="What">Method and address.</param>
/// <param name="Role">The role they have, and the one it needs; or the sources that the key is held to.</param>
public sealed record RefusedRequest(string Who, string What, string Role, int Count, DateTimeOffset FirstAt, DateTimeOffset LastAt);
