namespace Runbooks.Watchdog;

/// <summary>
/// Tells whoever is last in line about the system itself. It does without the store, which may be what is down: where the contact is a
/// schedule, its last answer is kept and looked up there, and nobody waits long for that.
/// </summary>
public sealed class FallbackNotifier(NotificationDispatcher dispatcher, ILogger<FallbackNotifier> logger)
{
    /// <summary>Stands where an incident's id would: channels that join messages into threads join these.</summary>
    public const string SystemId = "runbooks-system";

    /// <param name="threadId">What the message is about, where it is not the system as a whole.</param>
    /// <param name="key">Names the trouble, another each time that it begins: the same on every attempt to tell it.</param>
    /// <returns>Whether it reached anybody.</returns>
    public async Task<bool> NotifyAsync(string title, string message, string threadId, string key, CancellationToken cancellationToken) =>
        (await PageAsync(title, message, threadId, key, cancellationToken)).Count > 0;

    /// <returns>What reached anybody, to end it with; empty when nothing did.</returns>
    public async Task<IReadOnlyList<Delivery>> PageAsync(string title, string message, string threadId, string key, CancellationToken cancellationToken)
    {
        var card = Of(CardKind.Page, title, message, threadId);
        List<Delivery> reached = [.. (await dispatcher.SendAsync(key, [ContactBook.Fallback], _ => card, [], cancellationToken)).Where(delivery => delivery.Reached)];
        if (reached.Count == 0)
        {
            Log.NobodyReached(logger, threadId, message);
        }

        return reached;
    }

    /// <summary>Tells that a trouble is over.</summary>
    /// <param name="page">What told of it.</param>
    public async Task NotifyOverAsync(string title, string message, string threadId, string key, IReadOnlyList<Delivery> page, CancellationToken cancellationToken)
    {
        var card = Of(CardKind.Closed, title, message, threadId) with { IsEnd = true };
        var told = await dispatcher.SendAsync($"{key}:over", [ContactBook.Fallback], _ => card, page, cancellationToken);

        // Whoever heard it elsewhere, or is on call no more, has an alert that has not ended by that.
        await dispatcher.UpdateAsync(page.Where(alert => !told.Any(one => one.Reference is null && one.Contact == alert.Contact && one.Channel == alert.Channel)), _ => card, cancellationToken);
    }

    /// <summary>Brings the messages about a trouble that is over up to date, where nobody needs another one.</summary>
    public Task ShowOverAsync(string title, string message, string threadId, IReadOnlyList<Delivery> page, CancellationToken cancellationToken) =>
        dispatcher.UpdateAsync(page, _ => Of(CardKind.Closed, title, message, threadId), cancellationToken);

    private static Card Of(CardKind kind, string title, string message, string threadId) => new()
    {
        Kind = kind,
        IncidentId = threadId,
        Title = title,
        Severity = ImpactSeverity.High,
        Sections = [new("What happened", [message])],
    };
}
