namespace Runbooks.Intake.Parsing;

/// <summary>Collects labels or annotations: bounded in number, no empty values (to Prometheus an empty label is no label).</summary>
internal sealed class LabelSet(int limit, int valueLimit)
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Values => _values;

    private bool IsFull => _values.Count >= limit;

    public static LabelSet ForLabels() => new(AlertLimits.Labels, AlertLimits.LabelValue);

    public static LabelSet ForAnnotations() => new(AlertLimits.Annotations, AlertLimits.AnnotationValue);

    public string? this[string name] => _values.GetValueOrDefault(name);

    /// <summary>Sets a label, over an earlier one of that name.</summary>
    public LabelSet Set(string? name, string? value)
    {
        if (!string.IsNullOrEmpty(name) && !string.IsNullOrEmpty(value) && (!IsFull || _values.ContainsKey(name)))
        {
            _values[name] = value;
        }

        return this;
    }

    /// <summary>Adds a label unless one of that name is there.</summary>
    public LabelSet Add(string? name, string? value) => name is not null && _values.ContainsKey(name) ? this : Set(name, value);

    public LabelSet Add(string name, Payload value) => Add(name, value.Text(valueLimit));

    public LabelSet SetAll(Payload pairs)
    {
        foreach (var (name, value) in pairs.Pairs().TakeWhile(_ => !IsFull))
        {
            Set(name, value.Text(valueLimit));
        }

        return this;
    }

    public LabelSet AddAll(Payload pairs)
    {
        foreach (var (name, value) in pairs.Pairs().TakeWhile(_ => !IsFull))
        {
            Add(name, value.Text(valueLimit));
        }

        return this;
    }
}
