namespace Runbooks.Integrations.Http;

/// <summary>Reads answers of others, who may send anything.</summary>
internal static class JsonAnswer
{
    /// <returns>Null when it is no JSON.</returns>
    public static JsonNode? Parse(string body)
    {
        try
        {
            return JsonNode.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <returns>Null when it is no text.</returns>
    public static string? Text(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var found) ? found : null;
}
