using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Runbooks.Integrations.Notifications;

/// <summary>JSON bodies of messages.</summary>
internal static class MessageJson
{
    /// <summary>Text outside of ASCII stays readable; what could end a script or an attribute is still escaped.</summary>
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.Create(System.Text.Unicode.UnicodeRanges.All),
    };

    public static HttpContent Content(JsonNode body) => new StringContent(body.ToJsonString(Options), Encoding.UTF8, "application/json");

    public static JsonArray Array(IEnumerable<JsonNode?> nodes) => [.. nodes];
}
