using System.Text.Json.Nodes;

namespace Infra.Tests;

sealed record PlannedResource(string Id, string Type, string ApiVersion, JsonObject Body)
{
    public string Name => (string)Body["name"]!;

    public JsonObject Properties => Body["properties"]?.AsObject() ?? [];

    /// <summary>What an extension resource (a role, a diagnostic setting) is attached to.</summary>
    public string Scope => Id[..Id.LastIndexOf("/providers/", StringComparison.OrdinalIgnoreCase)];

    public static PlannedResource Read(JsonObject body) =>
        new((string)body["id"]!, (string)body["type"]!, (string)body["apiVersion"]!, body);

    public override string ToString() => $"{Type} {Name}";
}
