namespace Runbooks.Model.Definition;

/// <summary>Which failing checks call for the mitigation.</summary>
/// <param name="Quantifier">One of them, or all.</param>
/// <param name="Checks">Names of checks; empty means every check of the diagnosis.</param>
public sealed record Condition(Quantifier Quantifier, IReadOnlyList<string> Checks)
{
    public static readonly Condition AnyCheck = new(Quantifier.Any, []);
}

public enum Quantifier { Any, All }
