using System.Text.Json;

namespace Runbooks.Model;

/// <summary>
/// A part of a record that is kept for long and written by whichever process comes to it, of an older version too while programs are
/// replaced or after one was rolled back. What this version does not know of it stays as a later one wrote it.
/// </summary>
public abstract record Evolving
{
    /// <summary>Null where this version knows all of it; nothing is written then.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Later { get; init; }

    /// <summary>Two are the same where they are so in all that this version knows.</summary>
    public virtual bool Equals(Evolving? other) => other is not null && EqualityContract == other.EqualityContract;

    public override int GetHashCode() => EqualityContract.GetHashCode();
}
