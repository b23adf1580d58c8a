using System.Security.Cryptography;

namespace Runbooks.Model.Text;

/// <summary>Knows a text again without keeping it.</summary>
public static class TextHash
{
    /// <summary>The first bytes of its SHA-256 as hex, two letters each.</summary>
    public static string Of(string text, int bytes = SHA256.HashSizeInBytes) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, bytes));
}
