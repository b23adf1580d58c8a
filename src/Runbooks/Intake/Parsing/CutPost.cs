namespace Runbooks.Intake.Parsing;

/// <summary>The whole alerts in the first part of a post that is too long can still be taken.</summary>
public static class CutPost
{
    /// <returns>A JSON document of the whole alerts; null when there are none.</returns>
    public static ReadOnlyMemory<byte>? Close(ReadOnlyMemory<byte> begin)
    {
        if (begin.Span.StartsWith("\uFEFF"u8))
        {
            begin = begin[3..];
        }

        var reader = new Utf8JsonReader(begin.Span, isFinalBlock: false, new(new() { MaxDepth = AlertLimits.Depth }));
        var place = new Place();
        try
        {
            while (reader.Read())
            {
                place.Note(ref reader);
            }
        }
        catch (JsonException)
        {
            // The part before the error is whole all the same.
        }

        // Not in one expression with null, which would become an empty memory.
        if (place.End == 0)
        {
            return null;
        }

        return new ReadOnlyMemory<byte>([.. begin.Span[..place.End], .. Encoding.ASCII.GetBytes(place.Closing)]);
    }

    /// <summary>Where the last whole alert ends, and what closes the document after it.</summary>
    private struct Place
    {
        /// <summary>The depth of the list's entries; 0 outside of a list of alerts.</summary>
        private int _entries;
        private bool _named;

        public int End { get; private set; }

        public string Closing { get; private set; }

        public void Note(ref Utf8JsonReader reader)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartArray when reader.CurrentDepth == 0 || (reader.CurrentDepth == 1 && _named):
                    _entries = reader.CurrentDepth + 1;
                    break;
                case JsonTokenType.EndArray when reader.CurrentDepth == _entries - 1 && _entries > 0:
                    _entries = 0;
                    break;
                case JsonTokenType.EndObject when _entries > 0 && reader.CurrentDepth == _entries:
                    (End, Closing) = ((int)reader.BytesConsumed, _entries == 1 ? "]" : "]}");
                    break;
                default:
                    break;
            }

            if (reader.CurrentDepth == 0 && reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                (End, Closing) = ((int)reader.BytesConsumed, "");
            }

            _named = reader.TokenType == JsonTokenType.PropertyName
                && reader.CurrentDepth == 1
                && reader.ValueTextEquals("alerts");
        }
    }
}

/// <summary>For posts that came to the address of another sender.</summary>
internal static class ForeignPost
{
    private const string ValidationEvent = "Microsoft.EventGrid.SubscriptionValidationEvent";

    /// <returns>False when nothing shows which sender's it is; otherwise it was reported.</returns>
    public static bool Report(Payload post, string path, PostReport report)
    {
        if (IsEvent(post))
        {
            var field = post["eventType"].IsMissing ? "type" : "eventType";
            report.Lose(
                new(
                    $"{path}.{field}",
                    post[field].Found,
                    "this is an event of Azure Event Grid; let the event subscription post to /api/alerts/event-grid"),
                IsValidation(post) ? 0 : 1);
            return true;
        }

        if (FindEssentials(post) is { } essentials)
        {
            report.Lose(new(
                $"{path}.{essentials}",
                "an object",
                "this is an alert of Azure Monitor; let the action group post to /api/alerts/azure-monitor"));
            return true;
        }

        if (!post["alerts"].Items().FirstOrDefault()["labels"].IsObject)
        {
            return false;
        }

        report.Lose(new(
            $"{path}.alerts",
            post["alerts"].Found,
            "this is a post of Alertmanager or Grafana; let it post to /api/alerts/alertmanager or /api/alerts/grafana"));
        return true;
    }

    /// <returns>Where the essentials of an Azure Monitor alert are, in the common schema or in the form of its resource.</returns>
    public static string? FindEssentials(Payload post) =>
        post["data"]["essentials"].IsObject ? "data.essentials"
        : post["properties"]["essentials"].IsObject ? "properties.essentials"
        : null;

    public static bool IsEvent(Payload post) =>
        (!post["specversion"].IsMissing && !post["type"].IsMissing)
        || (!post["eventType"].IsMissing && !post["eventTime"].IsMissing);

    /// <summary>Event Grid asks with it whether it may post here.</summary>
    public static bool IsValidation(Payload post) =>
        ValidationEvent.Equals(post["eventType"].Line(AlertLimits.Name), StringComparison.OrdinalIgnoreCase);
}
