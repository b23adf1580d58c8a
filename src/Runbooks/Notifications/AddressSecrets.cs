using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;

namespace Runbooks.Notifications;

/// <summary>
/// Looks up what <c>${NAME}</c> stands for, at the moment of sending: the value is in no contact, no record and no log, and
/// a rotated one is used at once.
/// </summary>
public sealed class AddressSecrets(IConfiguration settings)
{
    /// <exception cref="DeliveryException">The setting has no value.</exception>
    public string Resolve(string to) =>
        !IsReference(to, out var name) ? to
        : Find(name) ?? throw new DeliveryException($"The setting {name} has no value.");

    public string? Find(string name) => settings[name] is { Length: > 0 } value ? value : null;

    public static bool IsReference(string to, [NotNullWhen(true)] out string? name)
    {
        var framed = to.Length > 3 && to.StartsWith("${", StringComparison.Ordinal) && to[^1] == '}';
        name = framed && to[2..^1].All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or ':' or '-' or '.') ? to[2..^1] : null;
        return name is not null;
    }
}
