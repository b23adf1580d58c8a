using System.Text.Json.Serialization;
using Microsoft.Extensions.Primitives;

namespace Runbooks.Web.Http;

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
