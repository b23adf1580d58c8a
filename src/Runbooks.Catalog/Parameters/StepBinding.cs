using System.Text.Json.Nodes;
using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Parameters;

/// <param name="Parameters">Null if there is an error, or if outputs of steps that have not run are needed.</param>
/// <param name="Shown">As JSON with secrets masked. Only this form leaves the process.</param>
/// <param name="Problem">The errors in words. Null for none.</param>
public sealed record StepBinding(object? Parameters, JsonElement Shown, string? Problem)
{
    internal IReadOnlyList<string> Secrets { get; private init; } = [];

    /// <summary>Redacts what people see. Identity and undo state are only for the action itself.</summary>
    public Preparation Clean(Preparation said) => said with
    {
        PlannedEffect = CleanText.Said(said.PlannedEffect, Secrets),
        Undo = said.Undo is { } undo ? CleanText.Said(undo, Secrets) : null,
        Refusal = said.Refusal is { } refusal ? CleanText.Said(refusal, Secrets) : null,
    };

    /// <summary>Outputs of steps that have not run are needed.</summary>
    public bool Deferred => Parameters is null && Problem is null;

    public static StepBinding Of(JsonElement with, Type parametersType, TemplateScope scope, RenderMode mode = RenderMode.Run)
    {
        var rendered = WithRenderer.Render(with, parametersType, scope, mode);
        var masked = ParameterMask.Mask(rendered.Value, parametersType);
        var (secrets, shown) = (SecretValues.Of(rendered.Value, masked), JsonSerializer.SerializeToElement(masked));
        if (rendered.Errors.Count > 0)
        {
            return new(null, shown, Join(rendered.Errors)) { Secrets = secrets };
        }

        if (rendered.Pending)
        {
            return new(null, shown, null) { Secrets = secrets };
        }

        var bound = ParameterBinder.Bind(rendered.Value, parametersType);
        return bound.Errors.Count > 0
            ? new(null, shown, Join(bound.Errors)) { Secrets = secrets }
            : new(bound.Value, shown, null) { Secrets = secrets };
    }

    private static string Join(IReadOnlyList<ParameterError> errors) =>
        string.Join(" ", errors);
}

/// <summary>
/// Fills the templates of a step's <c>with</c> mapping. Always start from the runbook's mapping and never from an earlier result, which
/// contains text from alerts.
/// </summary>
public static class WithRenderer
{
    /// <param name="with">A JSON object whose strings may be templates. Keys are never templates.</param>
    /// <param name="parametersType">The record that it will be bound to.</param>
    public static RenderedWith Render(JsonElement with, Type parametersType, TemplateScope scope, RenderMode mode = RenderMode.Run)
    {
        var errors = new List<ParameterError>();
        var pending = false;
        var value = with.ValueKind == JsonValueKind.Object ? Mapping(with, "", parametersType, null) : [];
        return new RenderedWith(value, errors, pending);

        // A nested part follows the rules of the parameter that contains it.
        JsonObject Mapping(JsonElement mapping, string prefix, Type? type, StepParameter? whole)
        {
            var parameters = type is null ? [] : StepParameters.Of(type);
            var filled = new JsonObject();
            foreach (var property in mapping.EnumerateObject())
            {
                filled[property.Name] = Visit(property.Value, prefix + property.Name, parameters.FirstOrDefault(parameter => parameter.Name == property.Name) ?? whole);
            }

            return filled;
        }

        JsonNode? Visit(JsonElement element, string key, StepParameter? parameter)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    return Mapping(element, $"{key}.", parameter is null ? null : ParameterType.RecordOf(parameter.Type), parameter);
                case JsonValueKind.Array:
                    return new JsonArray([.. element.EnumerateArray().Select((item, index) => Visit(item, $"{key}[{index}]", parameter))]);
                case JsonValueKind.String:
                    var rendered = Template.Parse(element.GetString()!).Render(
                        scope, mode, parameter?.Insert, lenient: parameter?.ForPeople is not null);
                    pending |= rendered.Pending;
                    errors.AddRange(rendered.Errors.Select(error => new ParameterError(key, error, "")));
                    return rendered.Value is not { } text || rendered.Pending ? rendered.Value
                        : parameter?.ForPeople is { } people ? people.Fit(text)
                        : parameter?.IsTrimmed == true ? text.Trim() : text;
                default:
                    return JsonNode.Parse(element.GetRawText());
            }
        }
    }
}

/// <summary>A <c>with</c> mapping after substitution.</summary>
/// <param name="Value">Null where there are errors.</param>
/// <param name="Pending">It has placeholders for outputs of steps that have not run, so it cannot be bound yet.</param>
public sealed record RenderedWith(JsonObject Value, IReadOnlyList<ParameterError> Errors, bool Pending);

/// <summary>
/// Masks secrets before storing or showing. Where the author chooses the names, as in a request's body, it masks what looks like a secret.
/// </summary>
public static class ParameterMask
{
    public const string Hidden = "•••";

    public static JsonObject Mask(JsonElement with, Type type) => Mask(JsonObject.Create(with) ?? [], type);

    /// <returns>A copy. Unknown keys are hidden too, because a misspelt secret is still a secret.</returns>
    public static JsonObject Mask(JsonObject with, Type type)
    {
        var parameters = StepParameters.Of(type);
        var masked = new JsonObject();
        foreach (var (key, node) in with)
        {
            var parameter = parameters.FirstOrDefault(candidate => candidate.Name == key);
            masked[key] = parameter is null or { Secret: true } ? Hidden
                : parameter.Insert is HttpUrlAttribute && node is JsonValue address ? Redactor.Redact(address.ToString())
                : Mask(node, parameter.Type);
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
            (JsonObject mapping, ParameterShape.Map) when ParameterType.ShapeOf(ParameterType.MapValue(bare)!) == ParameterShape.Text =>
                MaskFree(mapping),
            (JsonObject mapping, ParameterShape.Map) =>
                new JsonObject(mapping.Select(pair => KeyValuePair.Create(pair.Key, Mask(pair.Value, ParameterType.MapValue(bare)!)))),
            (_, ParameterShape.Json) => MaskFree(node),
            _ => node?.DeepClone(),
        };
    }

    private static JsonNode? MaskFree(JsonNode? node, string name = "") => node switch
    {
        JsonObject mapping => new JsonObject(mapping.Select(pair => KeyValuePair.Create(pair.Key, MaskFree(pair.Value, pair.Key)))),
        JsonArray items => new JsonArray([.. items.Select(item => MaskFree(item, name))]),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => AlertSecrets.Hide(name, value.GetValue<string>()),
        _ => node?.DeepClone(),
    };
}

internal static class SecretValues
{
    /// <param name="rendered">The filled parameters.</param>
    /// <param name="masked">The same parameters, masked.</param>
    public static IReadOnlyList<string> Of(JsonObject rendered, JsonObject masked) =>
        [.. rendered.Where(pair => masked[pair.Key] is JsonValue value && value.GetValueKind() == JsonValueKind.String && value.GetValue<string>() == ParameterMask.Hidden)
            .SelectMany(pair => Strings(pair.Value))];

    private static IEnumerable<string> Strings(JsonNode? node) => node switch
    {
        JsonObject mapping => mapping.SelectMany(pair => Strings(pair.Value)),
        JsonArray items => items.SelectMany(Strings),
        JsonValue value => [value.ToString()],
        _ => [],
    };
}
