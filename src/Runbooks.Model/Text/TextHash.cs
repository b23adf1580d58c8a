using System.Security.Cryptography;

namespace Runbooks.Model.Text;

/// <summary>Identifies a text without keeping it.</summary>
public static class TextHash
{
    /// <summary>The first bytes of its SHA-256 as hex, two digits each.</summary>
    public static string Of(string text, int bytes = SHA256.HashSizeInBytes) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, bytes));
}
