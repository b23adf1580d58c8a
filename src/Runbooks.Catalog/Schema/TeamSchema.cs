using System.Text.Json.Nodes;
using Runbooks.Catalog.Reading;

namespace Runbooks.Catalog.Schema;

/// <summary>JSON Schema of <c>team.yaml</c>; <see cref="TeamFile"/> stays the judge.</summary>
public static class TeamSchema
{
    public static JsonObject Create() => SchemaParts.Document("Team", "Whose runbooks lie in this folder, and what they may do.", new()
    {
        ["name"] = new JsonObject { ["type"] = "string", ["pattern"] = $"^[a-z]([a-z0-9-]{{0,{Team.LongestName - 2}}}[a-z0-9])?$", ["description"] = "As the folder is called: lower-case letters, digits and dashes." },
        ["owner"] = SchemaParts.Text("A contact, for runbooks here that name no owner."),
        ["actions"] = SchemaParts.Words("What runbooks here may do: names of actions, or patterns such as kubernetes.*; everything when left out."),
    }, "name", "owner");
}
