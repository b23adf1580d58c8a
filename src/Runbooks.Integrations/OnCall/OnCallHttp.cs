using System.Globalization;
using System.Text.Json.Nodes;
using Polly;
using Runbooks.Integrations.Http;
using Runbooks.Notifications;

namespace Runbooks.Integrations.OnCall;

/// <summary>Asks a system for JSON. Whatever goes wrong is told in words without its secrets.</summary>
internal static class OnCallHttp
{
    /// <summary>Of one answer: a schedule that has more is none that a person keeps.</summary>
    public const int MostPages = 10;

    public static OnCallException TooLong(string service) => new($"{service} has more than {MostPages} pages of it, so who is on call is not known.");

    /// <exception cref="OnCallException">It gave no answer that can be used.</exception>
    public static async Task<JsonObject> ReadJsonAsync(this HttpClient client, string url, string service, CancellationToken cancellationToken, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var answer = await client.SendAsync(request, cancellationToken);
            return answer.IsSuccessStatusCode
                ? JsonAnswer.Parse(await answer.Content.ReadAsStringAsync(cancellationToken)) as JsonObject ?? throw new OnCallException($"{service} answered no JSON.")
                : throw new OnCallException(Words((int)answer.StatusCode, service));
        }
        catch (HttpRequestException unreachable)
        {
            throw new OnCallException($"{service} cannot be reached ({unreachable.HttpRequestError}).", unreachable);
        }
        catch (Exception late) when (late is ExecutionRejectedException or IOException)
        {
            throw new OnCallException($"{service} did not answer ({late.GetType().Name}).", late);
        }
    }

    public static DateTimeOffset? Time(JsonNode? value) =>
        DateTimeOffset.TryParse(JsonAnswer.Text(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    private static string Words(int status, string service) => status switch
    {
        401 or 403 => $"{service} answered {status}: the token is not good, or may not read schedules.",
        404 => $"{service} answered 404: it has no such schedule.",
        429 => $"{service} answered 429: too many requests.",
        _ => $"{service} answered {status}.",
    };
}

/// <summary>The ids by which systems call their schedules.</summary>
internal static class ScheduleId
{
    public static string? Validate(string id) => id.Length <= 64 && id.All(char.IsAsciiLetterOrDigit) ? null : "an id has letters and digits only.";
}
