namespace Runbooks.Integrations.Http;

/// <summary>Reads answers of others, who may send anything.</summary>
internal static class JsonAnswer
{
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

    /// <summary>How long the other side asks to wait: so many seconds, or until a time by its own clock.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage answer) => RetryAfter(answer.Headers.RetryAfter, answer.Headers.Date);

    /// <inheritdoc cref="RetryAfter(HttpResponseMessage)"/>
    public static TimeSpan? RetryAfter(RetryConditionHeaderValue? asked, DateTimeOffset? now) => asked switch
    {
        { Delta: { } seconds } => seconds,
        { Date: { } until } when until > now => until - now,
        _ => null,
    };

    public static string? Text(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var found) ? found : null;

    public static bool? Flag(JsonNode? value) => value is JsonValue flag && flag.TryGetValue<bool>(out var found) ? found : null;
}
