using System.ComponentModel.DataAnnotations;
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
