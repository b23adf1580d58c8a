using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Catalog.Templates;

namespace Runbooks.Catalog.Parameters;

/// <summary>A step's parameters at one moment of an incident: filled, bound to the typed record and validated.</summary>
/// <param name="Parameters">Null when something is wrong, or when outputs of steps that have not run are needed.</param>
/// <param name="Shown">The same as JSON with secrets masked: the only form that leaves the process.</param>
/// <param name="Problem">What is wrong, in words; null when nothing is.</param>
public sealed record StepBinding(object? Parameters, JsonElement Shown, string? Problem)
{
    /// <summary>What the parameters declare secret; hidden in whatever is said about the step.</summary>
    internal IReadOnlyList<string> Secrets { get; private init; } = [];

    /// <summary>Nothing is wrong, but it needs outputs of steps that have not run.</summary>
    public bool Deferred => Parameters is null && Problem is null;

    public static StepBinding Of(JsonElement with, Type parametersType, TemplateScope scope, RenderMode mode = RenderMode.Run)
    {
        var rendered = WithRenderer.Render(with, parametersType, scope, mode);
        var secrets = SecretValues.Of((JsonObject)rendered.Value.DeepClone(), parametersType);
        var shown = JsonSerializer.SerializeToElement(ParameterMask.Mask((JsonObject)rendered.Value.DeepClone(), parametersType));
        if (rendered.Errors.Count > 0)
        {
            return new(null, shown, Words(rendered.Errors)) { Secrets = secrets };
        }

        if (rendered.Pending)
        {
            return new(null, shown, null) { Secrets = secrets };
        }

        var bound = ParameterBinder.Bind(rendered.Value, parametersType);
        return bound.Errors.Count > 0 ? new(null, shown, Words(bound.Errors)) { Secrets = secrets } : new(bound.Value, shown, null) { Secrets = secrets };
    }

    private static string Words(IReadOnlyList<ParameterError> errors) =>
        string.Join(" ", errors);
}
