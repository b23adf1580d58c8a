using System.Text.Encodings.Web;

namespace Runbooks.Integrations;

/// <summary>How an action is taken back where the step itself says so.</summary>
internal static class Reversals
{
    /// <summary>For actions that take <c>keep: true</c>: what they did stays until a person takes it back. Where an alert decides that, it may stay.</summary>
    public static Reversal KeptIn(JsonElement with) => WithText.Flag(with, "keep") == false ? Reversal.Undone : Reversal.Kept;

    /// <summary>For actions that are undone as the step says, by <c>undo</c>, or not at all.</summary>
    public static Reversal UndoneIn(JsonElement with) =>
        with.ValueKind == JsonValueKind.Object && with.TryGetProperty("undo", out var undo) && undo.ValueKind == JsonValueKind.Object ? Reversal.Undone : Reversal.None;
}

/// <summary>The body of a request for people: as it is, since what is escaped (<c>\u0026sig=</c>) is read by nobody, and is not known for the secret that it may be.</summary>
internal static class BodyText
{
    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(JsonObject? body) => body is null ? "no body" : body.ToJsonString(s_readable);
}
