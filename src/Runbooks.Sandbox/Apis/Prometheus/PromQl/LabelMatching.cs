namespace Runbooks.Sandbox.Apis.Prometheus.PromQl;

/// <summary>
/// What a binary expression makes of labels. A query over time meets the same labels at each of its moments, so that each
/// answer is made once.
/// </summary>
internal sealed class LabelMatching(BinaryExpression binary, bool keepsName)
{
    private readonly Dictionary<IReadOnlyDictionary<string, string>, string> _signatures = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<IReadOnlyDictionary<string, string>, IReadOnlyDictionary<string, string>> _results = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(IReadOnlyDictionary<string, string>, IReadOnlyDictionary<string, string>), IReadOnlyDictionary<string, string>> _joined = [];

    /// <summary>Samples of both sides with the same signature belong together.</summary>
    public string Signature(IReadOnlyDictionary<string, string> labels) => Once(_signatures, labels, () => LabelSets.Key(binary.On
        ? LabelSets.Only(labels, binary.Labels)
        : LabelSets.Without(labels, binary.Labels.Append(LabelSets.Name))));

    /// <summary>The labels of a result. A comparison that only leaves out keeps the name; whatever calculates does not.</summary>
    public IReadOnlyDictionary<string, string> Result(IReadOnlyDictionary<string, string> labels) =>
        Once(_results, labels, () => keepsName ? labels : LabelSets.Without(labels, LabelSets.Name));

    /// <summary>The labels of the result of two samples that belong together.</summary>
    public IReadOnlyDictionary<string, string> Joined(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> other) =>
        Once(_joined, (labels, other), () => Join(labels, other));

    private Dictionary<string, string> Join(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> other)
    {
        var result = Result(labels).ToDictionary();
        if (binary.Many is null)
        {
            return binary.On ? LabelSets.Only(result, binary.Labels.Append(LabelSets.Name)) : LabelSets.Without(result, binary.Labels);
        }

        foreach (var label in binary.Include)
        {
            result.Remove(label);
            if (other.TryGetValue(label, out var value))
            {
                result[label] = value;
            }
        }

        return result;
    }

    private static TMade Once<TKey, TMade>(Dictionary<TKey, TMade> made, TKey key, Func<TMade> make)
        where TKey : notnull
    {
        if (!made.TryGetValue(key, out var there))
        {
            made[key] = there = make();
        }

        return there;
    }
}
