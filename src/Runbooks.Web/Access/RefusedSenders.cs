using System.Collections.Concurrent;
using Runbooks.Watchdog;

namespace Runbooks.Web.Access;

/// <summary>
/// Posts of alerts that the door turned away: few senders repeat what was answered with 401 or 403, so a person is paged. Somebody
/// without a key of ours may be anybody, so of them each kind of sender pages once a day, and nothing that they wrote is told.
/// </summary>
public sealed class RefusedSenders(AlertReader reader, LostAlerts lost, ISharedState state, TimeProvider time, ILogger<RefusedSenders> logger)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromDays(1);

    private const string Key = "intake:refused-senders";

    /// <summary>What is told stands in the shared state, since processes come and go; here it spares asking for each post.</summary>
    private readonly ConcurrentDictionary<string, DateTimeOffset> _told = new();

    /// <param name="known">Whose key it was; null: nobody's.</param>
    /// <param name="token">What is wrong with the token that it showed instead of a key; null where it is no way in for tokens.</param>
    internal async Task RecordAsync(HttpRequest request, Actor? known, string? token = null)
    {
        // Routing takes an address with a slash at its end for the same one.
        var source = $"{request.Path}".TrimEnd('/').Split('/')[^1];
        if (!HttpMethods.IsPost(request.Method) || !reader.Knows(source) || (known is null && !IsDue(reader.NameOf(source))))
        {
            return;
        }

        var why = token is not null
            ? $"It showed no token that lets it in ({token}) and was answered 401. Look at the role of the application that sends it, and at the settings of Intake; where none of yours posts here, somebody else knows this address. Of this you hear once a day."
            : known is null
            ? "It carried no key of this host, or an old one, and was answered 401. Give the sender a key that the setting ApiKeys has; where none of yours posts here without one, somebody else knows this address. Of this you hear once a day."
            : $"{known.Who} {(known.Role == Role.None ? "has no role" : $"has the role {RoleText.Of(known.Role)}")}, which may not post alerts. Give the sender a key with the role {RoleText.Of(Role.Sender)} (setting ApiKeys:Named).";
        try
        {
            if (known is not null || await ClaimAsync(reader.NameOf(source)))
            {
                await lost.RecordAsync(reader.NameOf(source), alerts: 0, why, CancellationToken.None);
            }
        }
        // Whoever is turned away is told so whatever the store's trouble.
        catch (Exception trouble)
        {
            _told.TryRemove(reader.NameOf(source), out _);
            Log.RefusalNotKept(logger, trouble);
        }
    }

    private bool IsDue(string source)
    {
        var now = time.GetUtcNow();
        return _told.TryAdd(source, now) || (_told.TryGetValue(source, out var told) && (now - told).Duration() >= s_pause && _told.TryUpdate(source, now, told));
    }

    private async Task<bool> ClaimAsync(string source)
    {
        var now = time.GetUtcNow();
        return (await state.UpdateAsync<Told, bool>(
            Key,
            known => known is not null && known.At.TryGetValue(source, out var at) && (now - at).Duration() < s_pause ? (known, false)
                : (new(new Dictionary<string, DateTimeOffset>(known?.At ?? new Dictionary<string, DateTimeOffset>()) { [source] = now }), true),
            CancellationToken.None)).Result;
    }

    /// <param name="At">When posts without a key were last told of, by the kind of sender.</param>
    private sealed record Told(IReadOnlyDictionary<string, DateTimeOffset> At);
}
