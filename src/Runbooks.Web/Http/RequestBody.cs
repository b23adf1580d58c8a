using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Runbooks.Intake.Parsing;

namespace Runbooks.Web.Http;

/// <summary>Reads bodies no larger than they may be.</summary>
internal static class RequestBody
{
    public const int MaxAlerts = AlertLimits.Body;

    /// <summary>For the small bodies of people and scripts.</summary>
    public const int MaxSmall = 64 * 1024;

    /// <returns>Null when it is larger than <paramref name="limit"/>.</returns>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit)
        {
            return null;
        }

        var buffer = new byte[(int)(request.ContentLength ?? 4096) + 1];
        var length = 0;
        while (true)
        {
            var read = await request.Body.ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0)
            {
                return buffer.AsMemory(0, length);
            }

            length += read;
            if (length > limit)
            {
                return null;
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(buffer.Length * 2, limit + 1));
            }
        }
    }

    /// <summary>Reads a small JSON object; an empty body is an empty object.</summary>
    public static async Task<(T? Value, IResult? Refusal)> ReadJsonAsync<T>(HttpRequest request, string example, CancellationToken cancellationToken)
        where T : class
    {
        if (await ReadAsync(request, MaxSmall, cancellationToken) is not { } body)
        {
            return (null, Answers.TooLarge(MaxSmall));
        }

        try
        {
            var value = JsonSerializer.Deserialize<T>(body.Length == 0 ? "{}"u8 : body.Span, WebJson.Options);
            return value is null ? (null, Refuse("$", "null")) : (value, null);
        }
        catch (JsonException wrong)
        {
            var where = wrong.LineNumber is { } line ? $"line {line + 1}, byte {wrong.BytePositionInLine + 1}" : "the body";
            return (null, Refuse(wrong.Path ?? "$", $"something else at {where}"));
        }

        IResult Refuse(string path, string found) =>
            Answers.Problem(StatusCodes.Status400BadRequest, "The body is not what is expected here.", new AlertError(path, found, $"Send JSON such as {example}"));
    }
}
