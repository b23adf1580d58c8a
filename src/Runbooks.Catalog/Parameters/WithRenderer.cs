using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Catalog.Templates;

namespace Runbooks.Catalog.Parameters;

/// <summary>
/// Fills the templates of a step's <c>with</c> mapping. Always start from the runbook's own mapping, never from an
/// earlier result: a result holds text from alerts.
/// </summary>
public static class WithRenderer
{
    /// <param name="with">A JSON object whose strings may be templates; keys are never templates.</param>
    /// <param name="parametersType">The record it is going to be bound to.</param>
    public static RenderedWith Render(JsonElement with, Type parametersType, TemplateScope scope, RenderMode mode = RenderMode.Run)
    {
        var errors = new List<ParameterError>();
        var pending = false;
        var value = new JsonObject();
        if (with.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in with.EnumerateObject())
            {
                var refuse = StepParameters.Of(parametersType).FirstOrDefault(parameter => parameter.Name == property.Name)?.Refuse;
                value[property.Name] = Visit(property.Value, property.Name, refuse);
            }
        }

        return new RenderedWith(value, errors, pending);

        JsonNode? Visit(JsonElement element, string key, Func<string, string?>? refuse)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    var mapping = new JsonObject();
                    foreach (var property in element.EnumerateObject())
                    {
                        mapping[property.Name] = Visit(property.Value, $"{key}.{property.Name}", refuse);
                    }

                    return mapping;
                case JsonValueKind.Array:
                    return new JsonArray([.. element.EnumerateArray().Select((item, index) => Visit(item, $"{key}[{index}]", refuse))]);
                case JsonValueKind.String:
                    var rendered = Template.Parse(element.GetString()!).Render(scope, mode, refuse);
                    pending |= rendered.Pending;
                    errors.AddRange(rendered.Errors.Select(error => new ParameterError(key, error, "")));
                    return rendered.Value;
                default:
                    return JsonNode.Parse(element.GetRawText());
            }
        }
    }
}

/// <summary>A <c>with</c> mapping after substitution.</summary>
/// <param name="Value">Where there are errors, the value is null.</param>
/// <param name="Pending">Outputs of steps that have not run stand in it as placeholders, so it cannot be bound yet.</param>
public sealed record RenderedWith(JsonObject Value, IReadOnlyList<ParameterError> Errors, bool Pending);
