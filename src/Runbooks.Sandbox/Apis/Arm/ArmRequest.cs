using System.Text.Json;
using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>A request to Azure Resource Manager, taken apart.</summary>
/// <param name="Root">The id of the resource itself, without what is below it; as written.</param>
/// <param name="Type">Its type in lower case: <c>microsoft.network/trafficmanagerprofiles</c>.</param>
/// <param name="Rest">What stands below it, in lower case.</param>
internal sealed record ArmRequest(HttpRequest Http, string Root, string Type, IReadOnlyList<string> Rest, JsonObject? Body)
{
    public string Method => Http.Method;

    public string Name => Root[(Root.LastIndexOf('/') + 1)..];

    /// <summary>The key of its state: ids ignore case.</summary>
    public string Key => Root.ToLowerInvariant();

    public bool Is(string method, params ReadOnlySpan<string> rest) => Method == method && rest.SequenceEqual(Rest.ToArray());

    /// <returns>Null: it is not an id, or the body is not a JSON object.</returns>
    public static async Task<ArmRequest?> ReadAsync(HttpRequest http, string prefix)
    {
        var parts = http.Path.Value![prefix.Length..].Trim('/').Split('/');
        // subscriptions/{s}/resourceGroups/{g}/providers/{ns}/{type}/{name}, or the same without a group.
        var at = Array.FindIndex(parts, part => part.Equals("providers", StringComparison.OrdinalIgnoreCase));
        if (at < 0 || parts.Length < at + 4 || http.Query["api-version"].Count == 0)
        {
            return null;
        }

        JsonObject? body = null;
        if (http.ContentLength > 0 || http.Headers.TransferEncoding.Count > 0)
        {
            try
            {
                body = (await JsonNode.ParseAsync(http.Body, cancellationToken: http.HttpContext.RequestAborted))?.AsObject();
            }
            catch (Exception odd) when (odd is JsonException or InvalidOperationException)
            {
                return null;
            }
        }

        return new ArmRequest(
            http,
            "/" + string.Join('/', parts.Take(at + 4)),
            $"{parts[at + 1]}/{parts[at + 2]}".ToLowerInvariant(),
            [.. parts.Skip(at + 4).Select(part => part.ToLowerInvariant())],
            body);
    }
}
