using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Runbooks.Notifications.Storms;

namespace Runbooks.Web.Http;

/// <summary>Reads bodies no larger than they may be.</summary>
internal static class RequestBody
{
    public const int MaxAlerts = AlertLimits.Body;

    /// <summary>For the small bodies of people and scripts.</summary>
    public const int MaxSmall = 64 * 1024;

    private const int FirstBuffer = 4096;

    /// <returns>Null when it is larger than <paramref name="limit"/>.</returns>
    // A bare null beside a memory would be an empty memory: it converts by way of an array.
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpRequest request, int limit, CancellationToken cancellationToken) =>
        request.ContentLength > limit || await ReadBeginAsync(request, limit, cancellationToken) is not (var body, true) ? default(ReadOnlyMemory<byte>?) : body;

    /// <summary>Reads at most <paramref name="limit"/> bytes.</summary>
    /// <returns>What was read, and whether that is everything.</returns>
    public static async Task<(ReadOnlyMemory<byte> Begin, bool Whole)> ReadBeginAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        // Grows with what came, not with what was announced: anybody can announce.
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
            ApiResults.Problem(StatusCodes.Status400BadRequest, "The body is not what is expected here.", new AlertError(path, found, $"Send JSON such as {example}"));
    }
}

/// <summary>Reads what stands behind the question mark of an address.</summary>
internal static class QueryFields
{
    /// <returns>Null when it is missing or empty.</returns>
    public static string? Given(this HttpRequest request, string name) => request.Query[name].ToString() is { Length: > 0 } value ? value : null;
}

/// <summary>Reads the forms of our own pages; nothing that is larger.</summary>
internal static class FormFields
{
    /// <summary>As many tickets as one page lists, each as long as a link may be.</summary>
    private const int MaxList = 1024 * 1024;

    private static readonly FormOptions s_form = Limits(64, RequestBody.MaxSmall);
    private static readonly FormOptions s_list = Limits(StormMembers.MaxMembers + 16, MaxList);

    /// <returns>Null when the body is no form, or not one of ours.</returns>
    public static Task<IFormCollection?> ReadAsync(HttpRequest request, CancellationToken cancellationToken) => ReadAsync(request, s_form, cancellationToken);

    /// <summary>The form of a page that lists many questions.</summary>
    /// <inheritdoc cref="ReadAsync(HttpRequest, CancellationToken)"/>
    public static Task<IFormCollection?> ReadListAsync(HttpRequest request, CancellationToken cancellationToken) => ReadAsync(request, s_list, cancellationToken);

    private static async Task<IFormCollection?> ReadAsync(HttpRequest request, FormOptions limits, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType || request.ContentLength > limits.BufferBodyLengthLimit)
        {
            return null;
        }

        try
        {
            // A feature of our own: the limits are ours, whatever the host has set.
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
    /// <summary>Whoever only reads changes nothing.</summary>
    public static bool IsRead(this HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
}

/// <summary>Who asks for something and why. Both have to be said, in a body of the API or in a form of our own pages.</summary>
internal sealed record Attribution(string By, string Reason)
{
    public const int LongestReason = 1_000;

    /// <summary>More was written than <see cref="Reason"/> holds.</summary>
    public bool IsCut { get; init; }

    /// <summary>The time of the stop that a release of the kill switch is about; null where the body names none.</summary>
    public string? Stop { get; init; }

    /// <summary>Everything that stood in the form.</summary>
    public IFormCollection Fields { get; init; } = FormCollection.Empty;

    /// <param name="does">Completes "Say who … and why."</param>
    /// <param name="reason">A reason for the example that the answer shows.</param>
    public static async Task<(Attribution? Body, IResult? Refusal)> ReadJsonAsync(HttpRequest request, string does, string reason, CancellationToken cancellationToken)
    {
        var example = $$"""{"by":"ada","reason":"{{reason}}"}""";
        var (body, refusal) = await RequestBody.ReadJsonAsync<Unchecked>(request, example, cancellationToken);
        if (body is null)
        {
            return (null, refusal);
        }

        var missing = string.IsNullOrWhiteSpace(body.By) ? "$.by" : "$.reason";
        return Of(body.By, body.Reason) is { } attribution
            ? (attribution with { Stop = body.Stop }, null)
            : (null, ApiResults.Problem(StatusCodes.Status400BadRequest, $"Say who {does} and why.", new AlertError(missing, "missing", $"Send for example {example}")));
    }

    /// <summary>Where somebody is signed in, the name that was typed does not count.</summary>
    /// <param name="notDone">The title of the page that says why nothing was done.</param>
    /// <param name="reasonNeeded">False: the reason may be empty.</param>
    public static async Task<(Attribution? Form, IResult? Refusal)> ReadFormAsync(
        HttpRequest request, string notDone, CancellationToken cancellationToken, bool reasonNeeded = true)
    {
        if (!SameOrigin.Allows(request))
        {
            return (null, MessageResult.Of(StatusCodes.Status403Forbidden, notDone, "This was sent from another site. Open the page here and press the button there.", home: true));
        }

        var form = await FormFields.ReadAsync(request, cancellationToken);
        return Of(Actor.Of(request)?.Person?.Name ?? form?["by"], form?["reason"], reasonNeeded) is { } attribution
            ? (attribution with { Fields = form ?? FormCollection.Empty }, null)
            : (null, MessageResult.Of(StatusCodes.Status400BadRequest, notDone, reasonNeeded
                ? "Say who does this and why: go back and fill in both fields."
                : "Say who does this: go back and fill in your name.", home: true));
    }

    private static Attribution? Of(string? by, string? reason, bool reasonNeeded = true)
    {
        var why = Redactor.Redact((reason ?? "").Trim());
        return string.IsNullOrWhiteSpace(by) || (reasonNeeded && why.Length == 0) ? null
            : new(TypedText.Name(by), Clip.To(why, LongestReason)) { IsCut = why.Length > LongestReason };
    }

    private sealed record Unchecked(string? By, string? Reason, string? Stop);
}

/// <summary>Whether a form was sent from our own page.</summary>
internal static class SameOrigin
{
    /// <summary>
    /// Browsers say where a post comes from. Under no-referrer they send the origin "null" even for our own form, so the
    /// fetch metadata, which pages cannot forge, has the first word (Fetch, section 3.2 and Fetch Metadata, section 2).
    /// </summary>
    public static bool Allows(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site)
        {
            return site is "same-origin" or "none";
        }

        // Behind a proxy that ends TLS our own scheme is not the browser's; the host is what tells origins apart here.
        return request.Headers.Origin.ToString() is not { Length: > 0 } origin
            || origin == "null"
            || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }
}

/// <summary>
/// What people and scripts send with a key or a form is kept and shown to others, as alerts are: the same characters are taken
/// out of it, wherever it comes in.
/// </summary>
internal static class TypedText
{
    private const int LongestName = 200;

    public static readonly JsonSerializerOptions Json = new(WebJson.Options) { Converters = { new CleanStrings() } };

    /// <summary>Who somebody says to be: one line, so that it cannot look like two entries of the record.</summary>
    public static string Name(string by) => CleanText.Clean(by.Trim(), LongestName, oneLine: true);

    /// <returns>Null when it is neither a text nor a plain value, or no text that can be read.</returns>
    public static string? Of(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => CleanText.Line(value.GetString()!),
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
                _ => null,
            };
        }
        catch (InvalidOperationException)
        {
            // Half of a pair of surrogates.
            return null;
        }
    }

    public static FormCollection Of(IFormCollection form) =>
        new(form.ToDictionary(field => field.Key, field => new StringValues([.. field.Value.Select(value => Text(value ?? ""))])), form.Files);

    private static string Text(string text) => CleanText.Clean(text, int.MaxValue, oneLine: false);

    private sealed class CleanStrings : JsonConverter<string>
    {
        public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Text(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
    }
}
