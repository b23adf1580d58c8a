using System.Collections;
using System.ComponentModel.DataAnnotations;

namespace Runbooks.Catalog.Parameters;

/// <summary>
/// What the text of a parameter must look like after substitution. Text from alerts is attacker-influenced, so a rule
/// says what is allowed, not what is forbidden. In a list every item has to follow it.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public abstract class ParameterRuleAttribute : ValidationAttribute
{
    /// <summary>Completes the sentences "'x' is not …" and "Write …".</summary>
    public abstract string Words { get; }

    protected abstract bool Accepts(string value);

    public sealed override bool IsValid(object? value) => value switch
    {
        null => true,
        string text => Accepts(text),
        IEnumerable items => items.Cast<object?>().All(IsValid),
        _ => true,
    };

    public override string FormatErrorMessage(string name) => $"is not {Words}.";
}
