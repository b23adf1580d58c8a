using Microsoft.AspNetCore.Http.Features;
using Runbooks.Notifications.Storms;

namespace Runbooks.Web.Http;

internal static class RequestBody
{
    public const int MaxAlerts = AlertLimits.Body;

    public const int MaxSmall = 64 * 1024;

    private const int FirstBuffer = 4096;

    /// <returns>Null when it is larger than <paramref name="limit"/>.</returns>
    // A bare null beside a memory would be an empty memory, since null converts to an array first.
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpRequest request, int limit, CancellationToken cancellationToken) =>
        request.ContentLength > limit || await ReadBeginAsync(request, limit, cancellationToken) is not (var body, true)
            ? default(ReadOnlyMemory<byte>?)
            : body;

    /// <returns>What was read, at most <paramref name="limit"/> bytes, and whether that is everything.</returns>
    public static async Task<(ReadOnlyMemory<byte> Begin, bool Whole)> ReadBeginAsync(
        HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        // The buffer grows with the bytes that come, since anybody can announce any length.
        var buffer = new byte[(int)Math.Min(request.ContentLength ?? FirstBuffer, Math.Min(limit, FirstBuffer)) + 1];
        var length = 0;
        while (true)
        {
            var read = await request.Body.ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0)
            {
                return (buffer.AsMemory(0, length), true);
            }

            length += read;
            if (length > limit)
            {
                return (buffer.AsMemory(0, limit), false);
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
            return (null, ApiResults.TooLarge(MaxSmall));
        }

        try
        {
            var value = JsonSerializer.Deserialize<T>(body.Length == 0 ? "{}"u8 : body.Span, TypedText.Json);
            return value is null ? (null, Refuse("$", "null")) : (value, null);
        }
        catch (JsonException wrong)
        {
            var where = wrong.LineNumber is { } line ? $"line {line + 1}, byte {wrong.BytePositionInLine + 1}" : "the body";
            return (null, Refuse(wrong.Path ?? "$", $"something else at {where}"));
        }

        IResult Refuse(string path, string found) =>
            ApiResults.Problem(
                StatusCodes.Status400BadRequest,
                "The body is not what is expected here.",
                new AlertError(path, found, $"Send JSON such as {example}"));
    }
}

internal static class QueryFields
{
    public static string? Given(this HttpRequest request, string name) =>
        request.Query[name].ToString() is { Length: > 0 } value ? value : null;
}

internal static class FormFields
{
    /// <summary>As many tickets as one page lists, each as long as a link may be.</summary>
    private const int MaxList = 1024 * 1024;

    private static readonly FormOptions s_form = Limits(64, RequestBody.MaxSmall);
    private static readonly FormOptions s_list = Limits(StormMembers.MaxMembers + 16, MaxList);

    /// <returns>Null when the body is not a form, or not one of ours.</returns>
    public static Task<IFormCollection?> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        ReadAsync(request, s_form, cancellationToken);

    /// <inheritdoc cref="ReadAsync(HttpRequest, CancellationToken)"/>
    public static Task<IFormCollection?> ReadListAsync(HttpRequest request, CancellationToken cancellationToken) =>
        ReadAsync(request, s_list, cancellationToken);

    private static async Task<IFormCollection?> ReadAsync(HttpRequest request, FormOptions limits, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType || request.ContentLength > limits.BufferBodyLengthLimit)
        {
            return null;
        }

        try
        {
            // A feature of our own, so that these limits count, whatever the host has set.
            return TypedText.Of(await new FormFeature(request, limits).ReadFormAsync(cancellationToken));
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or IOException)
        {
            return null;
        }
    }

    private static FormOptions Limits(int values, int body) => new()
    {
        ValueCountLimit = values,
        KeyLengthLimit = RunbookModel.LabelField.Length + AlertLimits.LabelName,
        ValueLengthLimit = 16 * 1024,
        BufferBodyLengthLimit = body,
        MultipartBodyLengthLimit = body,
    };
}

internal static class RequestKind
{
    public static bool IsRead(this HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
}
