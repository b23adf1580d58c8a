using System.Text.Json;

namespace Runbooks.Model;

/// <summary>
/// A record that programs of different versions read and write, such as during an upgrade. Properties that this version does not know are
/// kept.
/// </summary>
public abstract record Evolving
{
    /// <summary>Null if this version knows every property.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Later { get; init; }

    /// <summary>Unknown properties do not count.</summary>
    public virtual bool Equals(Evolving? other) => other is not null && EqualityContract == other.EqualityContract;

    public override int GetHashCode() => EqualityContract.GetHashCode();
}
