namespace Runbooks.Catalog.Parameters;

/// <summary>
/// The text is a query (PromQL, KQL …) that the runbook's author wrote. A value that is inserted into it may only hold
/// letters, digits, blanks and <c>_ - . : / @</c>, so that no alert can end a quoted string and change the question.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class QueryTextAttribute : Attribute
{
    internal static string? Refuse(string value) =>
        value.All(character => char.IsLetterOrDigit(character) || character is ' ' or '_' or '-' or '.' or ':' or '/' or '@')
            ? null
            : "may not be put into a query: only letters, digits, blanks and _ - . : / @ are let in.";
}
