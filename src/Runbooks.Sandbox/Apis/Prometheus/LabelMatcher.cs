using System.Text.RegularExpressions;

namespace Runbooks.Sandbox.Apis.Prometheus;

/// <summary><c>name="value"</c> and its relatives <c>!=</c>, <c>=~</c>, <c>!~</c>.</summary>
internal sealed class LabelMatcher
{
    private readonly Regex? _pattern;

    /// <exception cref="PromQueryException">The pattern is not a regular expression.</exception>
    public LabelMatcher(string label, string @operator, string value)
    {
        (Label, Operator, Value) = (label, @operator, value);
        try
        {
            _pattern = @operator.EndsWith('~') ? new Regex($"^(?:{value})$", RegexOptions.NonBacktracking) : null;
        }
        catch (Exception bad) when (bad is ArgumentException or NotSupportedException)
        {
            throw new PromQueryException($"parse error: invalid regular expression: {bad.Message}");
        }
    }

    public string Label { get; }

    public string Operator { get; }

    public string Value { get; }

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        var actual = labels.GetValueOrDefault(Label, "");
        return (_pattern?.IsMatch(actual) ?? actual == Value) != Operator.StartsWith('!');
    }
}
