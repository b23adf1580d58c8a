namespace Runbooks.Integrations.Tickets;

/// <summary>
/// One kind of ticket system. A ticket belongs to an incident by the incident's id, which it carries in a field that can be
/// searched. A search may not see a ticket of a moment ago; one whose id is on record is read by that.
/// </summary>
internal interface ITicketSystem
{
    /// <summary>Searches the ticket of an incident; null when the search sees none.</summary>
    Task<Ticket?> FindAsync(string incident, CancellationToken cancellationToken);

    /// <param name="id">The system's own.</param>
    /// <returns>Null when it is not there any more.</returns>
    Task<Ticket?> ReadAsync(string id, CancellationToken cancellationToken);

    Task<Ticket> CreateAsync(TicketDraft draft, CancellationToken cancellationToken);

    /// <summary>Whether a comment with this text in it is there, among the latest.</summary>
    Task<bool> HasCommentAsync(Ticket ticket, string text, CancellationToken cancellationToken);

    /// <param name="fields">Other fields to change, by the system's own names; null for none.</param>
    Task CommentAsync(Ticket ticket, string text, JsonObject? fields, CancellationToken cancellationToken);

    /// <summary>Closes it, with the text as the last comment.</summary>
    /// <param name="isWritten">The comment is there already: an attempt before was cut off behind it.</param>
    /// <param name="fields">As of <see cref="CommentAsync"/>.</param>
    Task CloseAsync(Ticket ticket, string text, bool isWritten, JsonObject? fields, CancellationToken cancellationToken);
}

/// <param name="Id">The system's own.</param>
/// <param name="Key">As people say it: <c>INC0010023</c>, <c>OPS-12</c>, <c>345</c>.</param>
/// <param name="Url">Where people open it.</param>
internal sealed record Ticket(string Id, string Key, string Url, bool IsClosed);

/// <param name="Fields">Other fields, by the system's own names; null for none.</param>
internal sealed record TicketDraft(string Incident, string Title, string Text, JsonObject? Fields);

/// <summary>What every ticket carries.</summary>
internal static class TicketMark
{
    /// <summary>The label or tag of an incident's ticket. Ids of incidents are lower-case letters, digits and dashes, so it can stand in a query.</summary>
    public static string Of(string incident) => $"runbook-{incident}";

    /// <summary>Ends a comment, so that the same one is not written twice after a crash.</summary>
    public static string OfComment(string key) => $"runbooks:{key}";
}

/// <summary>What <c>fields</c> of a step give beside title and text.</summary>
internal static class TicketFields
{
    /// <summary>The same fields with every text in them changed.</summary>
    public static JsonObject? Each(JsonObject? fields, Func<string, string> change) =>
        fields is null ? null : new(fields.Select(field => KeyValuePair.Create(field.Key, Each(field.Value, change))));

    public static JsonNode? Each(JsonNode? value, Func<string, string> change) => value switch
    {
        JsonObject inner => Each(inner, change),
        JsonArray items => new JsonArray([.. items.Select(item => Each(item, change))]),
        JsonValue text when text.TryGetValue<string>(out var words) => JsonValue.Create(change(words)),
        _ => value?.DeepClone(),
    };
}

/// <summary>The system could not be asked, or answered with an error; the message is for people. Trying again may help.</summary>
internal sealed class TicketException(string message, Exception? inner = null) : Exception(message, inner);
