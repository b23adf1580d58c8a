namespace Runbooks.Intake.Parsing.EventGrid;

/// <summary>
/// The question that Event Grid asks before it sends events in its own schema:
/// https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema.
/// </summary>
public static class EventGridSubscription
{
    /// <summary>The sender's name in <c>POST /api/alerts/{source}</c>.</summary>
    public const string Source = "event-grid";

    /// <returns>The code that has to be sent back; null when the post asks nothing.</returns>
    public static string? ValidationCode(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonBody.Open(utf8, out _);
        if (document is null)
        {
            return null;
        }

        var first = new Payload(document.RootElement).Items().FirstOrDefault();
        return ForeignPost.IsValidation(first) && first["data"]["validationCode"] is { IsString: true } code ? code.Line(AlertLimits.Fingerprint) : null;
    }
}
