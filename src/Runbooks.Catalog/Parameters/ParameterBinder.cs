using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Runbooks.Catalog.Parameters;

/// <summary>Turns a <c>with</c> mapping into the typed record of a check or an action.</summary>
public static class ParameterBinder
{
    /// <summary>Wrong input gives errors, never an exception.</summary>
    public static BindResult Bind(JsonObject with, Type type)
    {
        var errors = new List<ParameterError>();
        var value = new ParameterConverter(errors, skipTemplates: false).Record(with, type, "");
        return errors.Count > 0 ? new(null, errors) : new(value, []);
    }

    /// <summary>Checks a mapping of a file whose templates are not filled. Skips values with templates and the rules that depend on them.</summary>
    public static IReadOnlyList<ParameterError> Check(JsonObject with, Type type)
    {
        var errors = new List<ParameterError>();
        new ParameterConverter(errors, skipTemplates: true).Record(with, type, "");
        return errors;
    }

    internal static object? Construct(
        Type type,
        IReadOnlyDictionary<StepParameter, object?> values,
        string prefix,
        IReadOnlySet<string> unknown,
        List<ParameterError> errors)
    {
        var positional = values.Where(pair => pair.Key.Position is not null).OrderBy(pair => pair.Key.Position).Select(pair => pair.Value);
        try
        {
            var record = StepParameters.ConstructorOf(type).Invoke([.. positional]);
            foreach (var (parameter, value) in values.Where(pair => pair.Key.Property is not null && pair.Value is not null))
            {
                parameter.Property!.SetValue(record, value);
            }

            if (record is IValidatableObject validatable)
            {
                errors.AddRange(
                    from result in validatable.Validate(new ValidationContext(record))
                    let keys = result.MemberNames.Select(name => prefix + CamelCase.Of(name)).DefaultIfEmpty(prefix).ToList()
                    where result is AnyValueResult || !keys.Exists(unknown.Contains)
                    select new ParameterError(keys[0], result.ErrorMessage ?? "is not valid.", ""));
            }

            return record;
        }
        catch (TargetInvocationException refused) when (refused.InnerException is ArgumentException reason)
        {
            errors.Add(new(prefix + CamelCase.Of(reason.ParamName ?? ""), reason.Message, ""));
            return null;
        }
    }
}

/// <summary>Never contains a secret value.</summary>
/// <param name="Key">As in the file, nested ones as <c>a.b</c> and <c>a[0]</c>.</param>
/// <param name="Problem">A sentence.</param>
/// <param name="Remedy">A sentence. Empty if the problem says it already.</param>
public sealed record ParameterError(string Key, string Problem, string Remedy)
{
    public override string ToString() => Remedy.Length == 0 ? $"{Key}: {Problem}" : $"{Key}: {Problem} {Remedy}";
}

/// <param name="Value">Null if there are errors.</param>
public sealed record BindResult(object? Value, IReadOnlyList<ParameterError> Errors);

/// <summary>Templates always give text, so text that reads as a number is a number.</summary>
internal static class ParameterScalar
{
    private static readonly MethodInfo s_tryParse =
        typeof(ParameterScalar).GetMethod(nameof(TryParse), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <returns>Null if the text does not fit.</returns>
    public static object? Convert(string text, Type type, ParameterShape shape) => shape switch
    {
        ParameterShape.Text => text,
        ParameterShape.Boolean => bool.TryParse(text, out var flag) ? flag : null,
        ParameterShape.Integer =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : null,
        ParameterShape.Number =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
                ? number
                : null,
        ParameterShape.Duration => DurationText.TryParse(text, out var duration) ? duration : null,
        ParameterShape.Choice =>
            Enum.GetNames(type).FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name
                ? Enum.Parse(type, name)
                : null,
        _ => s_tryParse.MakeGenericMethod(type).Invoke(null, [text]),
    };

    private static object? TryParse<T>(string text) where T : IParsable<T> =>
        T.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : null;
}

internal sealed class ParameterConverter(List<ParameterError> errors, bool skipTemplates)
{
    private const int MaxItems = 1_000;

    private static readonly object s_wrong = new();

    /// <summary>The keys with an unfilled template. A stand-in of the right type replaces the value.</summary>
    private readonly HashSet<string> _unknown = new(StringComparer.Ordinal);

    public object? Record(JsonObject with, Type type, string prefix)
    {
        var before = errors.Count;
        var parameters = StepParameters.Of(type);
        var names = parameters.Select(parameter => parameter.Name).ToList();
        foreach (var (key, _) in with.Where(pair => !names.Contains(pair.Key)))
        {
            var all = names.Count == 0 ? "There are no parameters here: remove it." : $"The parameters are: {string.Join(", ", names)}.";
            errors.Add(new(prefix + Clip.To(key, 80), "is not a parameter.", Suggestion.For(key, names) + all));
        }

        var values = parameters.ToDictionary(parameter => parameter, parameter => Parameter(with, parameter, prefix));
        return errors.Count > before ? s_wrong : ParameterBinder.Construct(type, values, prefix, _unknown, errors);
    }

    private object? Parameter(JsonObject with, StepParameter parameter, string prefix)
    {
        var key = prefix + parameter.Name;
        if (with[parameter.Name] is not { } node)
        {
            // Only an error when a file is read: incidents may still use an older version of the runbook with empty values.
            var isEmpty = skipTemplates && with.ContainsKey(parameter.Name);
            if (parameter.Required || isEmpty)
            {
                errors.Add(new(key, isEmpty ? "is empty." : "is missing.", $"Write {parameter.Expected}{(parameter.Required ? "." : ", or remove it.")}"));
                return s_wrong;
            }

            return parameter.DefaultValue;
        }

        var value = Convert(node, parameter.Type, key, parameter);
        if (!ReferenceEquals(value, s_wrong) && !_unknown.Contains(key))
        {
            errors.AddRange(Broken(value, node, key, parameter));
        }

        return value;
    }

    private IEnumerable<ParameterError> Broken(object? value, JsonNode node, string key, StepParameter parameter)
    {
        if (parameter.Rules.OfType<RequiredAttribute>().Any(rule => !rule.IsValid(value)))
        {
            return [new(key, "is empty.", $"Write {parameter.Expected}.")];
        }

        // These rules see only the value. Rules over the whole record belong in IValidatableObject.
        var context = new ValidationContext(new object()) { DisplayName = parameter.Name, MemberName = parameter.Name };
        return parameter.Rules
            .Select(rule => (Rule: rule, Result: rule.GetValidationResult(value, context)))
            .Where(outcome => outcome.Result is not null)
            .SelectMany<(ValidationAttribute Rule, ValidationResult? Result), ParameterError>(outcome => outcome.Rule switch
            {
                ParameterRuleAttribute rule when node is JsonArray items => items.Index()
                    .Where(one => one.Item is not null && !_unknown.Contains($"{key}[{one.Index}]") && !rule.IsValid(TextOf(one.Item)))
                    .Select(one => new ParameterError($"{key}[{one.Index}]", $"{Show(one.Item, parameter)} is not {rule.Expected}.", "")),
                ParameterRuleAttribute rule => [new(key, $"{Show(node, parameter)} is not {rule.Expected}.", "")],
                RangeAttribute range => [new(key, $"{Show(node, parameter)} is not {StepParameter.Bounds(range)}.", "")],
                MaxLengthAttribute most => [new(key, $"is longer than {most.Length} characters.", "Write less.")],
                _ => [new(key, Message(outcome.Result!, node, parameter), "")],
            });
    }

    private object? Convert(JsonNode node, Type type, string key, StepParameter parameter)
    {
        var bare = ParameterType.Bare(type);
        var kind = node.GetValueKind();
        var shape = ParameterType.ShapeOf(bare);
        if (kind == JsonValueKind.String && skipTemplates && Template.HasPlaceholder(node.GetValue<string>()))
        {
            _unknown.Add(key);
            if (StandIn(bare, shape, node.GetValue<string>()) is { } stand)
            {
                return stand;
            }
        }

        switch (shape)
        {
            case ParameterShape.Json:
                return bare.IsInstanceOfType(node) ? node.DeepClone() : Wrong(node, type, key, parameter);
            case ParameterShape.List when node is JsonArray items && items.Count <= MaxItems:
                return List(items, bare, key, parameter);
            case ParameterShape.List when node is JsonValue && ParameterType.ShapeOf(ParameterType.ListItem(bare)!) == ParameterShape.Text:
                return List(new JsonArray(node.DeepClone()), bare, key, parameter);
            case ParameterShape.Map when node is JsonObject mapping && mapping.Count <= MaxItems:
                return Map(mapping, bare, key, parameter);
            case ParameterShape.Record when node is JsonObject mapping:
                return Record(mapping, bare, key + ".");
            case ParameterShape.List or ParameterShape.Map or ParameterShape.Record:
                return Wrong(node, type, key, parameter);
        }

        return node is JsonValue && ParameterScalar.Convert(TextOf(node), bare, shape) is { } value
            ? value
            : Wrong(node, type, key, parameter);
    }

    /// <returns>Null for shapes that a filled text can never have, or whose parts are read one by one.</returns>
    private static object? StandIn(Type type, ParameterShape shape, string text) => shape switch
    {
        ParameterShape.Text => text,
        ParameterShape.List or ParameterShape.Map or ParameterShape.Record or ParameterShape.Json => null,
        _ => RuntimeHelpers.GetUninitializedObject(type),
    };

    private object List(JsonArray items, Type type, string key, StepParameter parameter)
    {
        var itemType = ParameterType.ListItem(type)!;
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(itemType))!;
        var known = true;
        for (var index = 0; index < items.Count; index++)
        {
            var value = items[index] is { } item
                ? Convert(item, itemType, $"{key}[{index}]", parameter)
                : Wrong(null, itemType, $"{key}[{index}]", parameter);
            known &= !ReferenceEquals(value, s_wrong);
            if (known)
            {
                list.Add(value);
            }
        }

        return known ? list : s_wrong;
    }

    private object Map(JsonObject mapping, Type type, string key, StepParameter parameter)
    {
        var valueType = ParameterType.MapValue(type)!;
        var map = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), valueType))!;
        var known = true;
        foreach (var (name, node) in mapping)
        {
            var value = node is null
                ? Wrong(null, valueType, $"{key}.{name}", parameter)
                : Convert(node, valueType, $"{key}.{name}", parameter);
            known &= !ReferenceEquals(value, s_wrong);
            if (known)
            {
                map[name] = value;
            }
        }

        return known ? map : s_wrong;
    }

    private object Wrong(JsonNode? node, Type type, string key, StepParameter parameter)
    {
        var guess = node is JsonArray && ParameterType.ShapeOf(type) is not (ParameterShape.List or ParameterShape.Map or ParameterShape.Record) ? "Write one value, not a list."
            : ParameterType.ShapeOf(type) == ParameterShape.Choice && !parameter.Secret && node is JsonValue
            ? Suggestion.For(TextOf(node), CamelCase.Choices(ParameterType.Bare(type)))
            : "";
        errors.Add(new(key, $"{Show(node, parameter)} is not {ParameterType.Expected(type)}.", guess.TrimEnd()));
        return s_wrong;
    }

    // A rule from elsewhere may put the value into its message.
    private static string Message(ValidationResult result, JsonNode node, StepParameter parameter) =>
        result.ErrorMessage is { } message && !(parameter.Secret && message.Contains(TextOf(node), StringComparison.Ordinal))
            ? message
            : "The value is not valid.";

    private static string Show(JsonNode? node, StepParameter parameter) => node switch
    {
        _ when parameter.Secret => "The value",
        null => "An empty value",
        JsonObject => "A mapping",
        JsonArray => "A list",
        _ => $"'{Clip.To(TextOf(node), 80)}'",
    };

    // Numbers and booleans keep their text, so that a version 1.10 stays 1.10.
    private static string TextOf(JsonNode node) =>
        node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString();
}
