using System.Text.Json;
using System.Text.Json.Nodes;

namespace Runbooks.Catalog.Parameters;

/// <summary>The values that a step's own parameters declare secret, so that they can be hidden in what others say.</summary>
internal static class SecretValues
{
    /// <param name="rendered">The parameters, filled.</param>
    public static IReadOnlyList<string> Of(JsonObject rendered, Type type)
    {
        var masked = ParameterMask.Mask(rendered, type);
        return [.. rendered.Where(pair => masked[pair.Key] is JsonValue value && value.GetValueKind() == JsonValueKind.String && value.GetValue<string>() == ParameterMask.Hidden)
            .SelectMany(pair => Strings(pair.Value))];
    }

    private static IEnumerable<string> Strings(JsonNode? node) => node switch
    {
        JsonObject mapping => mapping.SelectMany(pair => Strings(pair.Value)),
        JsonArray items => items.SelectMany(Strings),
        JsonValue value => [value.ToString()],
        _ => [],
    };
}
