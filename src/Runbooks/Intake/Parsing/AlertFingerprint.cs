using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Runbooks.Intake.Parsing;

/// <summary>An identity for alerts whose sender gives none (or too long a one): a hash of what stays the same.</summary>
internal static class AlertFingerprint
{
    public static string OfLabels(string name, IReadOnlyDictionary<string, string> labels) =>
        Of([name, .. labels.OrderBy(label => label.Key, StringComparer.Ordinal).SelectMany(label => new[] { label.Key, label.Value })]);

    /// <summary>Each part is hashed with its length before it, so that ["ab", "c"] and ["a", "bc"] differ.</summary>
    public static string Of(IEnumerable<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var part in parts)
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }
}
