using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace Runbooks.Catalog.Parameters;

/// <summary>One parameter of a check or an action: what the binder, the validator, the schema and the reference page know about it.</summary>
public sealed record StepParameter
{
    /// <summary>The key in the <c>with</c> mapping.</summary>
    public required string Name { get; init; }

    public required Type Type { get; init; }

    /// <summary>For example <c>text</c>, <c>whole number</c>, <c>one of: passing, failing</c>.</summary>
    public required string TypeInWords { get; init; }

    public required bool Required { get; init; }

    /// <summary>The default as a file would write it; null when there is none to show.</summary>
    public string? Default { get; init; }

    /// <summary>The text of its <see cref="System.ComponentModel.DescriptionAttribute"/>.</summary>
    public string Description { get; init; } = "";

    public bool Secret { get; init; }

    public IReadOnlyList<ValidationAttribute> Rules { get; init; } = [];

    /// <summary>Says why a value from outside must not be inserted into this text; null when every value may.</summary>
    internal Func<string, string?>? Refuse { get; init; }

    /// <summary>The position in the constructor; null for an init property.</summary>
    internal int? Position { get; init; }

    internal object? DefaultValue { get; init; }

    internal PropertyInfo? Property { get; init; }

    /// <summary>What has to be written, for a remedy.</summary>
    internal string Words => Rules.OfType<ParameterRuleAttribute>().FirstOrDefault()?.Words ?? TypeInWords;
}
