namespace Runbooks.Catalog.Parameters;

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
