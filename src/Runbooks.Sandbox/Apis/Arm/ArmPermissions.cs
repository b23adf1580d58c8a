using System.Text.Json.Nodes;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>What whoever asks may do: everything, but for what was taken away.</summary>
internal sealed class ArmPermissions(FaultBoard faults)
{
    public bool Deny(ArmRequest request) => faults.Denies("arm", OperationOf(request));

    public IResult Show() => Results.Text(
        new JsonObject
        {
            ["value"] = new JsonArray(new JsonObject
            {
                ["actions"] = new JsonArray("*"),
                ["notActions"] = new JsonArray([.. faults.Denied("arm").Select(denied => (JsonNode)denied)]),
                ["dataActions"] = new JsonArray(),
                ["notDataActions"] = new JsonArray(),
            }),
        }.ToJsonString(),
        "application/json");

    // Below a resource stand types and names in turn, and at the end of a POST what it is told to do.
    private static string OperationOf(ArmRequest request) =>
        $"{string.Join('/', request.Rest.Where((_, at) => at % 2 == 0).Prepend(request.Type))}/{request.Method switch
        {
            "GET" or "HEAD" => "read",
            "POST" => "action",
            "DELETE" => "delete",
            _ => "write",
        }}";
}
