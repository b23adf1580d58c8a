using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Runbooks.AzureStorage;

/// <summary>
/// Keys of rows. Azure forbids <c>/ \ # ?</c> and control characters in them and bounds their length, and our texts
/// come from outside: so keys are hashes, which also spread the partitions evenly.
/// </summary>
internal static class TableKeys
{
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan())));

    /// <summary>Length-prefixed, so that no runbook and target read as another pair.</summary>
    public static string Claim(string runbookId, string target) =>
        Hash(string.Create(CultureInfo.InvariantCulture, $"{runbookId.Length}:{runbookId}{target}"));

    /// <summary>A day, the latest first.</summary>
    public static string Day(DateTimeOffset at) =>
        ((DateTime.MaxValue.Ticks - at.UtcTicks) / TimeSpan.TicksPerDay).ToString("D7", CultureInfo.InvariantCulture);

    /// <summary>A moment and what tells incidents of the same moment apart, the latest first.</summary>
    public static string Moment(DateTimeOffset at, string tie) =>
        string.Create(CultureInfo.InvariantCulture, $"{DateTime.MaxValue.Ticks - at.UtcTicks:D19}-{tie}");
}
