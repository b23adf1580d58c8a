using System.Net;
using System.Text.Encodings.Web;

namespace Runbooks.Integrations.Notifications;

/// <summary>Posts a message to a channel's service. Whatever goes wrong is told without the URL: for some channels it is the secret.</summary>
internal static class MessageHttp
{
    private const int LargestAnswer = 64 * 1024;

    /// <returns>The body of the answer.</returns>
    /// <exception cref="DeliveryException">It was not taken.</exception>
    public static async Task<string> PostAsync(this HttpClient client, Uri to, HttpContent content, string service, CancellationToken cancellationToken, params IReadOnlyList<(string Name, string Value)> headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, to) { Content = content };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return answer.IsSuccessStatusCode
                ? await ReadAsync(answer, cancellationToken)
                : throw Refusal(answer, service);
        }
        catch (Exception failed) when (HttpFailure.InWords(service, failed) is { } words)
        {
            throw new DeliveryException(words, transient: true);
        }
    }

    /// <exception cref="DeliveryException">It is no such address.</exception>
    public static Uri Url(string text) =>
        HttpsUrl.TryParse(text, out var url) ? url : throw new DeliveryException("The address is not an https URL.");

    private static DeliveryException Refusal(HttpResponseMessage answer, string service)
    {
        var wait = JsonAnswer.RetryAfter(answer);
        return new(string.Create(CultureInfo.InvariantCulture, $"{service} answered {(int)answer.StatusCode}{(wait is { } after ? $"; it asks to wait {after.TotalSeconds:0} s" : "")}."), IsTransient(answer.StatusCode))
        {
            Status = answer.StatusCode,
            RetryAfter = wait,
            IsForm = answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge,
        };
    }

    private static bool IsTransient(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status >= 500;

    private static async Task<string> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[LargestAnswer];
        var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return System.Text.Encoding.UTF8.GetString(buffer, 0, read);
    }
}

/// <summary>JSON bodies of messages.</summary>
internal static class MessageJson
{
    /// <summary>Text outside of ASCII stays readable; what could end a script or an attribute is still escaped.</summary>
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.Create(System.Text.Unicode.UnicodeRanges.All),
        Converters = { CamelCase.Enums },
    };

    /// <summary>For files that people read.</summary>
    public static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { CamelCase.Enums } };

    public static HttpContent Content(JsonNode body) => new StringContent(body.ToJsonString(Options), Encoding.UTF8, "application/json");

    public static JsonArray Array(IEnumerable<JsonNode?> nodes) => [.. nodes];
}
