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
        (await PageAsync(title, message, threadId, key, cancellationToken)).Reached;

    public async Task<SystemPage> PageAsync(string title, string message, string threadId, string key, CancellationToken cancellationToken)
    {
        var card = Of(CardKind.Page, title, message, threadId);
        var sent = await dispatcher.SendAsync(key, [ContactBook.Fallback], _ => card, [], cancellationToken);
        var page = new SystemPage(sent.Any(delivery => delivery.Reached), [.. sent.Where(delivery => delivery.Reached), .. sent.SelectMany(delivery => delivery.Perhaps)]);
        if (!page.Reached)
        {
            Log.NobodyReached(logger, threadId, message);
        }

        return page;
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

/// <summary>What became of a message about the system itself.</summary>
/// <param name="Reached">Whether it reached anybody.</param>
/// <param name="Sent">To end it with: what reached somebody, and alerts that perhaps exist.</param>
public sealed record SystemPage(bool Reached, IReadOnlyList<Delivery> Sent)
{
    /// <summary>With what told of the same trouble before.</summary>
    public IReadOnlyList<Delivery> With(IReadOnlyList<Delivery> earlier) => [.. earlier.Where(one => !Sent.Any(one.IsSameMessage)), .. Sent];
}
