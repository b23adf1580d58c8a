using System.Text.Encodings.Web;

namespace Runbooks.Integrations;

/// <summary>The body of a request for people: as it is, since what is escaped (<c>\u0026sig=</c>) is read by nobody, and is not known for the secret that it may be.</summary>
internal static class BodyText
{
    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(JsonObject? body) => body is null ? "no body" : body.ToJsonString(s_readable);
}
