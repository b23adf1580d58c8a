using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Parameters;

/// <summary>Turns a <c>with</c> mapping into the typed record of a check or an action, and reports everything that is wrong with it.</summary>
public static class ParameterBinder
{
    /// <summary>Binds a mapping whose templates are filled. Wrong input is a result, never an exception.</summary>
    public static BindResult Bind(JsonObject with, Type type)
    {
        var errors = new List<ParameterError>();
        var value = new ParameterConverter(errors, skipTemplates: false).Record(with, type, "");
        return errors.Count > 0 ? new(null, errors) : new(value, []);
    }

    /// <summary>Checks a mapping as a file writes it: values that hold templates are left out, everything else is checked whole.</summary>
    public static IReadOnlyList<ParameterError> Check(JsonObject with, Type type)
    {
        var errors = new List<ParameterError>();
        new ParameterConverter(errors, skipTemplates: true).Record(with, type, "");
        return errors;
    }

    internal static object? Construct(Type type, IReadOnlyDictionary<StepParameter, object?> values, string prefix, List<ParameterError> errors)
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
                errors.AddRange(validatable.Validate(new ValidationContext(record)).Select(result => new ParameterError(
                    prefix + CamelCase.Of(result.MemberNames.FirstOrDefault() ?? ""), result.ErrorMessage ?? "is not valid.", "")));
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

/// <summary>What is wrong with one parameter. No secret value is in it.</summary>
/// <param name="Key">As the file writes it; nested ones as <c>a.b</c> and <c>a[0]</c>.</param>
/// <param name="Problem">A sentence.</param>
/// <param name="Remedy">A sentence, or empty when the problem says it already.</param>
public sealed record ParameterError(string Key, string Problem, string Remedy)
{
    public override string ToString() => Remedy.Length == 0 ? $"{Key}: {Problem}" : $"{Key}: {Problem} {Remedy}";
}

/// <summary>A bound parameter record, or everything that is wrong.</summary>
/// <param name="Value">Null when there are errors.</param>
public sealed record BindResult(object? Value, IReadOnlyList<ParameterError> Errors);

/// <summary>Single values from their text: templates always yield text, so text that reads as a number is one.</summary>
internal static class ParameterScalar
{
    private static readonly MethodInfo s_tryParse =
        typeof(ParameterScalar).GetMethod(nameof(TryParse), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <returns>Null when the text does not fit.</returns>
    public static object? Convert(string text, Type type, ParameterShape shape) => shape switch
    {
        ParameterShape.Text => text,
        ParameterShape.Boolean => bool.TryParse(text, out var flag) ? flag : null,
        ParameterShape.Integer when type == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : null,
        ParameterShape.Integer => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : null,
        ParameterShape.Number when type == typeof(decimal) => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
        ParameterShape.Number => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null,
        ParameterShape.Duration => DurationText.TryParse(text, out var duration) ? duration : null,
        ParameterShape.Choice => Enum.GetNames(type).FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name ? Enum.Parse(type, name) : null,
        _ => s_tryParse.MakeGenericMethod(type).Invoke(null, [text]),
    };

    private static object? TryParse<T>(string text) where T : IParsable<T> =>
        T.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : null;
}
