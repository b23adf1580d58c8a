namespace Runbooks.Sandbox.Apis.Prometheus;

/// <summary>One value of one series at the moment that was asked for.</summary>
internal sealed record Sample(IReadOnlyDictionary<string, string> Labels, double Value)
{
    /// <summary>Two samples with the same key are of the same series.</summary>
    public string Key => string.Join('\u0001', Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"));
}
