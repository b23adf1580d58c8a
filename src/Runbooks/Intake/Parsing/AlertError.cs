namespace Runbooks.Intake.Parsing;

/// <summary>One thing in a post that could not be understood.</summary>
/// <param name="Path">Where, as a JSON path: <c>$.alerts[2].labels</c>.</param>
/// <param name="Found">What is there: <c>missing</c>, <c>a number</c>.</param>
/// <param name="Remedy">What the sender has to do.</param>
public sealed record AlertError(string Path, string Found, string Remedy)
{
    public override string ToString() => $"{Path}: {Found}; {Remedy}";
}
