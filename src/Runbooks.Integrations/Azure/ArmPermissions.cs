using System.Text.Json.Nodes;
using Runbooks.Catalog.Matching;

namespace Runbooks.Integrations.Azure;

/// <summary>
/// What Azure answers when it is asked for an identity's permissions on a resource: one entry for each role that it has
/// there, with patterns of operations (learn.microsoft.com/rest/api/authorization/permissions/list-for-resource).
/// </summary>
internal static class ArmPermissions
{
    public const string Path = "/providers/Microsoft.Authorization/permissions";
    public const string ApiVersion = "2022-04-01";

    /// <returns>False when no role allows it; true when one does, or when the answer does not tell.</returns>
    public static bool MayAllow(JsonObject answer, string operation) =>
        answer["value"] is not JsonArray roles
        // Another role may stand on the next page.
        || answer["nextLink"] is not null
        || roles.OfType<JsonObject>().Any(role => Names(role, "actions", operation) && !Names(role, "notActions", operation));

    private static bool Names(JsonObject role, string list, string operation) =>
        (role[list] as JsonArray ?? []).OfType<JsonValue>().Any(pattern => pattern.TryGetValue<string>(out var text) && Glob.IsMatch(text, operation));
}
