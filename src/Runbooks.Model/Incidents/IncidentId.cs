using System.Globalization;
using System.Security.Cryptography;

namespace Runbooks.Model.Incidents;

/// <summary>Makes ids that sort by time and can be read out on the phone: <c>261123-0312-k7m2p9wd</c>.</summary>
internal static class IncidentId
{
    // Crockford's base32 without the letters that sound or look like another: 40 random bits are enough for a storm in one minute.
    private const string Letters = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int Length = 8;

    public static string New(DateTimeOffset now) =>
        $"{now.UtcDateTime.ToString("yyMMdd-HHmm", CultureInfo.InvariantCulture)}-{RandomNumberGenerator.GetString(Letters, Length)}";
}
