using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Runbooks.Web.Slack;

/// <summary>Whether a request comes from Slack, as described at https://docs.slack.dev/authentication/verifying-requests-from-slack.</summary>
internal static class SlackSignature
{
    /// <summary>A request that is older, or from further in the future, is refused.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    public static bool Fits(string? secret, string timestamp, ReadOnlySpan<byte> body, string signature, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(secret)
            || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || Math.Abs(now.ToUnixTimeSeconds() - seconds) > Window.TotalSeconds)
        {
            return false;
        }

        byte[] signed = [.. Encoding.ASCII.GetBytes($"v0:{timestamp}:"), .. body];
        var expected = $"v0={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (ReadOnlySpan<byte>)signed))}";
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(signature));
    }
}
