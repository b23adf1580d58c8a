using System.Text.Json.Nodes;

namespace Runbooks.Catalog.Parameters;

/// <summary>Makes a <c>with</c> mapping fit to be stored and shown: secrets are replaced.</summary>
public static class ParameterMask
{
    public const string Hidden = "•••";

    /// <returns>A copy. Keys that are no parameters are hidden as well: a misspelt secret is still a secret.</returns>
    public static JsonObject Mask(JsonObject with, Type type)
    {
        var parameters = StepParameters.Of(type);
        var masked = new JsonObject();
        foreach (var (key, node) in with)
        {
            var parameter = parameters.FirstOrDefault(candidate => candidate.Name == key);
            masked[key] = parameter is null or { Secret: true } ? Hidden : Mask(node, parameter.Type);
        }

        return masked;
    }

    private static JsonNode? Mask(JsonNode? node, Type type)
    {
        var bare = ParameterType.Bare(type);
        return (node, ParameterType.ShapeOf(bare)) switch
        {
            (JsonObject mapping, ParameterShape.Record) => Mask(mapping, bare),
            (JsonArray items, ParameterShape.List) => new JsonArray([.. items.Select(item => Mask(item, ParameterType.ListItem(bare)!))]),
            (JsonObject mapping, ParameterShape.Map) => new JsonObject(mapping.Select(pair => KeyValuePair.Create(pair.Key, Mask(pair.Value, ParameterType.MapValue(bare)!)))),
            _ => node?.DeepClone(),
        };
    }
}
