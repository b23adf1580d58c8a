using System.Collections.Concurrent;
using Runbooks.Watchdog;

namespace Runbooks.Web.Access;

/// <summary>
/// Requests that were refused for want of a role or a source, for the people who look after the system. Kept in the shared state: equal
/// ones are one line, written at most once a minute by each host and when somebody looks. Only the latest lines stay; the log has all.
/// </summary>
public sealed class RefusedRequests(ISharedState state, TimeProvider time, ILogger<RefusedRequests> logger)
{
    public const int MaxLines = 60;

    private const string Key = "access:refused";
    private const int LongestText = 200;
    private static readonly TimeSpan s_pause = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();

    /// <summary>The lines of the last minute, each with what has come since and is not written yet.</summary>
    private readonly Dictionary<(string Who, string What), (RefusedRequest? Unwritten, DateTimeOffset WrittenAt)> _recent = [];

    public async Task<IReadOnlyList<RefusedRequest>> ReadAsync(CancellationToken cancellationToken)
    {
        await WriteAsync(TakeUnwritten(), CancellationToken.None);
        return (await state.FindAsync<RefusedList>(Key, cancellationToken))?.Requests ?? [];
    }

    internal Task RecordAsync(string who, string what, string role, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var line = new RefusedRequest(Clip.To(who, LongestText), CleanText.Clean(what, LongestText, oneLine: true), role, 1, now, now);
        return WriteAsync(Count(line, now), cancellationToken);
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
        // The log has it. The caller is told of the refusal, whatever the store's trouble.
        catch (Exception trouble) when (!cancellationToken.IsCancellationRequested)
        {
            Log.RefusalNotKept(logger, trouble);
        }
    }

    private List<RefusedRequest> TakeUnwritten()
    {
        lock (_gate)
        {
            var unwritten = _recent.Where(line => line.Value.Unwritten is not null).ToList();
            unwritten.ForEach(line => _recent[line.Key] = (null, line.Value.WrittenAt));
            return [.. unwritten.Select(line => line.Value.Unwritten!)];
        }
    }

    private List<RefusedRequest> Count(RefusedRequest line, DateTimeOffset now)
    {
        lock (_gate)
        {
            var old = _recent.Where(written => now - written.Value.WrittenAt >= s_pause).ToList();
            old.ForEach(written => _recent.Remove(written.Key));
            var due = old.Select(written => written.Value.Unwritten).OfType<RefusedRequest>().ToList();
            var key = (line.Who, line.What);
            if (_recent.TryGetValue(key, out var known))
            {
                _recent[key] = (known.Unwritten is { } earlier ? Merge(earlier, line) : line, known.WrittenAt);
            }
            // A caller that tries every address writes no more than this.
            else if (_recent.Count < MaxLines)
            {
                _recent[key] = (null, now);
                due.Add(line);
            }

            return due;
        }
    }

    private static RefusedList Add(RefusedList list, RefusedRequest line)
    {
        var earlier = list.Requests.FirstOrDefault(known => known.Who == line.Who && known.What == line.What);
        var merged = earlier is null ? line : Merge(earlier, line);
        var lines = list.Requests.Where(known => known != earlier).Prepend(merged).OrderByDescending(known => known.LastAt);
        return new([.. lines.Take(MaxLines)]);
    }

    private static RefusedRequest Merge(RefusedRequest earlier, RefusedRequest later) =>
        later with { Count = earlier.Count + later.Count, FirstAt = earlier.FirstAt };

    private sealed record RefusedList(IReadOnlyList<RefusedRequest> Requests);
}

/// <param name="Who">The key's name, or the person who was signed in.</param>
/// <param name="Role">The role they have, and the one it needs; or the sources that the key may post for.</param>
public sealed record RefusedRequest(string Who, string What, string Role, int Count, DateTimeOffset FirstAt, DateTimeOffset LastAt);

/// <summary>
/// Posts of alerts that were refused at the door. Few senders repeat what was answered with 401 or 403, so a person is paged. A caller
/// without a key of ours may be anybody: each kind of sender then pages once a day, and nothing that the caller wrote is passed on.
/// </summary>
public sealed class RefusedSenders(
    AlertReader reader, LostAlerts lost, ISharedState state, TimeProvider time, ILogger<RefusedSenders> logger)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromDays(1);

    private const string Key = "intake:refused-senders";

    /// <summary>Saves asking the shared state for each post. That state is the record, since processes come and go.</summary>
    private readonly ConcurrentDictionary<string, DateTimeOffset> _told = new();

    /// <param name="known">The owner of the key; null for a key that is not ours.</param>
    /// <param name="token">What is wrong with the token that was shown instead of a key; null on a way in that takes no tokens.</param>
    internal async Task RecordAsync(HttpRequest request, Actor? known, string? token = null)
    {
        // Routing ignores a slash at the end of an address.
        var source = $"{request.Path}".TrimEnd('/').Split('/')[^1];
        if (!HttpMethods.IsPost(request.Method) || !reader.Knows(source) || (known is null && !IsDue(reader.NameOf(source))))
        {
            return;
        }

        var why = WhyRefused(known, token);
        try
        {
            if (known is not null || await ClaimAsync(reader.NameOf(source)))
            {
                await lost.RecordAsync(reader.NameOf(source), alerts: 0, why, CancellationToken.None);
            }
        }
        // The caller is told of the refusal, whatever the store's trouble.
        catch (Exception trouble)
        {
            _told.TryRemove(reader.NameOf(source), out _);
            Log.RefusalNotKept(logger, trouble);
        }
    }

    private static string WhyRefused(Actor? known, string? token)
    {
        if (token is not null)
        {
            return $"It showed no token that lets it in ({token}) and was answered 401. "
                + "Look at the role of the application that sends it, and at the settings of Intake; "
                + "where none of yours posts here, somebody else knows this address. Of this you hear once a day.";
        }

        if (known is null)
        {
            return "It carried no key of this host, or an old one, and was answered 401. "
                + "Give the sender a key that the setting ApiKeys has; "
                + "where none of yours posts here without one, somebody else knows this address. Of this you hear once a day.";
        }

        var role = known.Role == Role.None ? "has no role" : $"has the role {RoleText.Of(known.Role)}";
        return $"{known.Who} {role}, which may not post alerts. "
            + $"Give the sender a key with the role {RoleText.Of(Role.Sender)} (setting ApiKeys:Named).";
    }

    private bool IsDue(string source)
    {
        var now = time.GetUtcNow();
        return _told.TryAdd(source, now)
            || (_told.TryGetValue(source, out var told) && (now - told).Duration() >= s_pause && _told.TryUpdate(source, now, told));
    }

    private async Task<bool> ClaimAsync(string source)
    {
        var now = time.GetUtcNow();
        return (await state.UpdateAsync<Told, bool>(Key, Claim, CancellationToken.None)).Result;

        (Told, bool) Claim(Told? known)
        {
            if (known is not null && known.At.TryGetValue(source, out var at) && (now - at).Duration() < s_pause)
            {
                return (known, false);
            }

            return (new(new Dictionary<string, DateTimeOffset>(known?.At ?? new Dictionary<string, DateTimeOffset>()) { [source] = now }), true);
        }
    }

    /// <param name="At">For each kind of sender, when people were last told of posts without a key.</param>
    private sealed record Told(IReadOnlyDictionary<string, DateTimeOffset> At);
}
