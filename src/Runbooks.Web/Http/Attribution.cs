using System.Text.Json.Serialization;
using Microsoft.Extensions.Primitives;

namespace Runbooks.Web.Http;

/// <summary>Who asks for something and why. Both are needed, in a body of the API or in a form of our own pages.</summary>
internal sealed record Attribution(string By, string Reason)
{
    public const int LongestReason = 1_000;

    /// <summary>The text was longer than <see cref="LongestReason"/>.</summary>
    public bool IsCut { get; init; }

    /// <summary>The time of the stop that is released; null where the body names none.</summary>
    public string? Stop { get; init; }

    public IFormCollection Fields { get; init; } = FormCollection.Empty;

    /// <param name="does">Completes "Say who … and why."</param>
    /// <param name="reasonNeeded">False for a note, which may be left out.</param>
    public static async Task<(Attribution? Body, IResult? Refusal)> ReadJsonAsync(
        HttpRequest request, string does, string reason, CancellationToken cancellationToken, bool reasonNeeded = true)
    {
        var example = $$"""{"by":"ada","{{(reasonNeeded ? "reason" : "note")}}":"{{reason}}"}""";
        var (body, refusal) = await RequestBody.ReadJsonAsync<Unchecked>(request, example, cancellationToken);
        if (body is null)
        {
            return (null, refusal);
        }

        if (Of(body.By, reasonNeeded ? body.Reason : body.Note, reasonNeeded) is { } attribution)
        {
            return (attribution with { Stop = body.Stop }, null);
        }

        var missing = string.IsNullOrWhiteSpace(body.By) ? "$.by" : "$.reason";
        return (null, ApiResults.Problem(
            StatusCodes.Status400BadRequest,
            $"Say who {does}{(reasonNeeded ? " and why" : "")}.",
            new AlertError(missing, "missing", $"Send for example {example}")));
    }

    /// <summary>Where somebody is signed in, the typed name does not count.</summary>
    public static async Task<(Attribution? Form, IResult? Refusal)> ReadFormAsync(
        HttpRequest request, string notDone, CancellationToken cancellationToken, bool reasonNeeded = true)
    {
        if (!SameOrigin.Allows(request))
        {
            return (null, MessageResult.FromAnotherSite(notDone));
        }

        var form = await FormFields.ReadAsync(request, cancellationToken);
        return Of(Actor.Of(request)?.Person?.Name ?? form?["by"], form?["reason"], reasonNeeded) is { } attribution
            ? (attribution with { Fields = form ?? FormCollection.Empty }, null)
            : (null, MessageResult.Of(StatusCodes.Status400BadRequest, notDone, reasonNeeded
                ? "Say who does this and why: go back and fill in both fields."
                : "Say who does this: go back and fill in your name.", home: true));
    }

    private static Attribution? Of(string? by, string? reason, bool reasonNeeded)
    {
        var why = Redactor.Redact((reason ?? "").Trim());
        return string.IsNullOrWhiteSpace(by) || (reasonNeeded && why.Length == 0) ? null
            : new(TypedText.Name(by), Clip.To(why, LongestReason)) { IsCut = why.Length > LongestReason };
    }

    private sealed record Unchecked(string? By, string? Reason, string? Note, string? Stop);
}

/// <summary>
/// Text from people and scripts is kept and shown to others, as alerts are. The same characters are removed from it, wherever it comes
/// in.
/// </summary>
internal static class TypedText
{
    private const int LongestName = 200;

    public static readonly JsonSerializerOptions Json = new(WebJson.Options) { Converters = { new CleanStrings() } };

    /// <summary>One line, so that a name cannot look like two entries of the record.</summary>
    public static string Name(string by) => CleanText.Clean(by.Trim(), LongestName, oneLine: true);

    /// <returns>Null when it is not a text, a number or a boolean, or cannot be read.</returns>
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
            // Half of a surrogate pair.
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

internal static class SameOrigin
{
    /// <summary>
    /// Browsers say where a post comes from. Under no-referrer they send the origin "null" even for our own form, so the fetch metadata,
    /// which pages cannot forge, counts first (Fetch, section 3.2 and Fetch Metadata, section 2).
    /// </summary>
    public static bool Allows(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site)
        {
            return site is "same-origin" or "none";
        }

        // Behind a proxy that ends TLS our own scheme is not the browser's, so only the host is compared.
        return request.Headers.Origin.ToString() is not { Length: > 0 } origin
            || origin == "null"
            || (Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }
}
