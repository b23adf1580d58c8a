namespace Runbooks.Web.Access;

/// <summary>
/// Who wanted what without the role or the source for it, for whoever looks after the system. Kept in the shared state: what is alike is one
/// line, written at most once a minute by each host and when somebody looks, and of many lines the latest stay. All are in the log.
/// </summary>
public sealed class RefusedRequests(ISharedState state, TimeProvider time, ILogger<RefusedRequests> logger)
{
    public const int MaxLines = 60;

    private const string Key = "access:refused";
    private const int LongestText = 200;
    private static readonly TimeSpan s_pause = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();

    /// <summary>What was written within the last minute, and what has come since that is not written yet.</summary>
    private readonly Dictionary<(string Who, string What), (RefusedRequest? Unwritten, DateTimeOffset WrittenAt)> _recent = [];

    /// <summary>The latest first.</summary>
    public async Task<IReadOnlyList<RefusedRequest>> ReadAsync(CancellationToken cancellationToken)
    {
        await WriteAsync(TakeUnwritten(), CancellationToken.None);
        return (await state.FindAsync<RefusedList>(Key, cancellationToken))?.Requests ?? [];
    }

    internal Task RecordAsync(string who, string what, string role, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return WriteAsync(Count(new RefusedRequest(Clip.To(who, LongestText), CleanText.Clean(what, LongestText, oneLine: true), role, 1, now, now), now), cancellationToken);
    }

    private async Task WriteAsync(List<RefusedRequest> lines, CancellationToken cancellationToken)
    {
        if (lines.Count == 0)
        {
            return;
        }

        try
        {
            await state.ChangeAsync<RefusedList>(Key, known => lines.Aggregate(known ?? new([]), Add), cancellationToken);
        }
        // It is in the log; whoever is refused is told so whatever the store's trouble.
        catch (Exception trouble) when (!cancellationToken.IsCancellationRequested)
        {
            Log.RefusalNotKept(logger, trouble);
        }
    }

    private List<RefusedRequest> TakeUnwritten()
    {
        lock (_gate)
        {
            var unwritten = _recent.Where(one => one.Value.Unwritten is not null).ToList();
            unwritten.ForEach(one => _recent[one.Key] = (null, one.Value.WrittenAt));
            return [.. unwritten.Select(one => one.Value.Unwritten!)];
        }
    }

    /// <returns>What is to be written now.</returns>
    private List<RefusedRequest> Count(RefusedRequest line, DateTimeOffset now)
    {
        lock (_gate)
        {
            var old = _recent.Where(one => now - one.Value.WrittenAt >= s_pause).ToList();
            old.ForEach(one => _recent.Remove(one.Key));
            var due = old.Select(one => one.Value.Unwritten).OfType<RefusedRequest>().ToList();
            var key = (line.Who, line.What);
            if (_recent.TryGetValue(key, out var known))
            {
                _recent[key] = (known.Unwritten is { } earlier ? Merge(earlier, line) : line, known.WrittenAt);
            }
            // Whoever asks for everything there is writes no more than this.
            else if (_recent.Count < MaxLines)
            {
                _recent[key] = (null, now);
                due.Add(line);
            }

            return due;
        }
    }

    private static RefusedList Add(RefusedList list, RefusedRequest one)
    {
        var earlier = list.Requests.FirstOrDefault(known => known.Who == one.Who && known.What == one.What);
        var merged = earlier is null ? one : Merge(earlier, one);
        return new([.. list.Requests.Where(known => known != earlier).Prepend(merged).OrderByDescending(known => known.LastAt).Take(MaxLines)]);
    }

    private static RefusedRequest Merge(RefusedRequest earlier, RefusedRequest later) => later with { Count = earlier.Count + later.Count, FirstAt = earlier.FirstAt };

    /// <param name="Requests">The latest first.</param>
    private sealed record RefusedList(IReadOnlyList<RefusedRequest> Requests);
}

/// <summary>Requests that were refused because of their role, or of the sources of their key.</summary>
/// <param name="Who">The key's name, or whoever was signed in.</param>
/// <param name="What">Method and address.</param>
/// <param name="Role">The role they have, and the one it needs; or the sources that the key is held to.</param>
public sealed record RefusedRequest(string Who, string What, string Role, int Count, DateTimeOffset FirstAt, DateTimeOffset LastAt);
