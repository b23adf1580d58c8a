using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Runbooks.Web.Assistant;

/// <summary>
/// What the protocol asks of HTTP and the library leaves to the host. Headers repeat the revision, the method and the tool of a
/// message, so that a gateway lets some tools through without reading bodies: what is run has to be what they say.
/// </summary>
/// <seealso href="https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-validation"/>
internal static class ProtocolHeaders
{
    private const string Version = "MCP-Protocol-Version";

    /// <summary>The first revision that has these headers and says in each message of which revision it is.</summary>
    private const string First = "2026-07-28";

    private const string EncodedStart = "=?base64?";
    private const string EncodedEnd = "?=";

    /// <summary>Those that the library speaks, the newest first.</summary>
    private static readonly string[] s_versions = [First, "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

    /// <returns>Why it is answered with 400; null where it may be run.</returns>
    public static JsonRpcErrorDetail? Check(IHeaderDictionary headers, JsonRpcMessage message)
    {
        var version = headers[Version].ToString();
        if (version.Length > 0 && !s_versions.Contains(version))
        {
            var data = new UnsupportedProtocolVersionErrorData { Supported = s_versions, Requested = Clip.To(version, 80) };
            return Error(McpErrorCode.UnsupportedProtocolVersion, "Unsupported protocol version.", JsonSerializer.SerializeToNode(data, McpJsonUtilities.DefaultOptions));
        }

        if (message is not JsonRpcRequest request)
        {
            return null;
        }

        if (IsModern(headers, message) && MetaProblem(version, request) is { } problem)
        {
            return problem;
        }

        var name = request.Method switch
        {
            RequestMethods.ToolsCall or RequestMethods.PromptsGet => "name",
            RequestMethods.ResourcesRead => "uri",
            _ => null,
        };
        return Differs("Mcp-Method", said => said == request.Method) || (name is not null && Differs("Mcp-Name", said => Decoded(said) == Text(request.Params, name)))
            ? Error(McpErrorCode.HeaderMismatch, "Header mismatch: Mcp-Method and Mcp-Name have to say what the body does.")
            : null;

        // Earlier revisions do not have these headers; where one stands all the same, it is true.
        bool Differs(string header, Func<string, bool> isSame) => headers.TryGetValue(header, out var said) ? !isSame(said.ToString()) : IsModern(headers, message);
    }

    /// <summary>Whether the message is of a revision that has these headers, by what it says itself or by its header.</summary>
    public static bool IsModern(IHeaderDictionary headers, JsonRpcMessage message) =>
        message is JsonRpcRequest request
        && (string.CompareOrdinal(headers[Version].ToString(), First) >= 0 || string.CompareOrdinal(Text(Meta(request), MetaKeys.ProtocolVersion), First) >= 0);

    /// <returns>The tool that the message calls; null where it calls none.</returns>
    public static string? ToolOf(JsonRpcMessage message) => message is JsonRpcRequest { Method: RequestMethods.ToolsCall } request ? Text(request.Params, "name") : null;

    /// <summary>The status of an error that answers a modern request; clients of earlier revisions take 404 for the end of a session.</summary>
    public static int StatusOf(JsonRpcErrorDetail error) => (McpErrorCode)error.Code switch
    {
        McpErrorCode.MethodNotFound => StatusCodes.Status404NotFound,
        McpErrorCode.HeaderMismatch or McpErrorCode.MissingRequiredClientCapability or McpErrorCode.UnsupportedProtocolVersion => StatusCodes.Status400BadRequest,
        _ => StatusCodes.Status200OK,
    };

    private static JsonRpcErrorDetail? MetaProblem(string version, JsonRpcRequest request)
    {
        var said = Text(Meta(request), MetaKeys.ProtocolVersion);
        return version.Length == 0 ? Error(McpErrorCode.HeaderMismatch, $"Header mismatch: {Version} is missing.")
            : said is null || Find<JsonObject>(Meta(request), MetaKeys.ClientCapabilities) is null ? Error(McpErrorCode.InvalidParams, $"_meta needs {MetaKeys.ProtocolVersion} and {MetaKeys.ClientCapabilities}.")
            : said != version ? Error(McpErrorCode.HeaderMismatch, $"Header mismatch: {Version} and _meta name different revisions.")
            : null;
    }

    private static JsonObject? Meta(JsonRpcRequest request) => Find<JsonObject>(request.Params, "_meta");

    private static string? Text(JsonNode? node, string key) => Find<string>(node, key);

    /// <returns>Null when it is not there, something else, or nothing that can be read: a key stands there twice, or half of a pair of surrogates.</returns>
    private static T? Find<T>(JsonNode? node, string key)
        where T : class
    {
        try
        {
            var found = (node as JsonObject)?[key];
            return found as T ?? (found is JsonValue value && value.TryGetValue(out T? plain) ? plain : null);
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <returns>The name as it is, also where it stands in Base64; null where it cannot be decoded.</returns>
    private static string? Decoded(string header)
    {
        if (!header.StartsWith(EncodedStart, StringComparison.Ordinal) || !header.EndsWith(EncodedEnd, StringComparison.Ordinal) || header.Length < EncodedStart.Length + EncodedEnd.Length)
        {
            return header;
        }

        var bytes = new byte[header.Length];
        return Convert.TryFromBase64String(header[EncodedStart.Length..^EncodedEnd.Length], bytes, out var length) ? System.Text.Encoding.UTF8.GetString(bytes, 0, length) : null;
    }

    private static JsonRpcErrorDetail Error(McpErrorCode code, string message, JsonNode? data = null) => new() { Code = (int)code, Message = message, Data = data };
}
