using System.Globalization;

namespace Runbooks.Intake.Parsing;

internal static class PayloadValues
{
    /// <summary>An ISO 8601 time; null for anything else, and for the zero time that Go programs send for "not yet".</summary>
    public static DateTimeOffset? Time(this Payload payload) =>
        payload.Line(64) is { Length: >= 10 } text
        && char.IsAsciiDigit(text[0])
        && text[4] == '-' // a bare time of day would be read as today's
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
        && time.Year > 1
            ? time
            : null;

    public static string? Link(this Payload payload) => payload.IsString ? AlertLink.Clean(payload.Line(AlertLimits.Link + 1)) : null;

    /// <summary>The sender's identity of an alert; one that is too long is hashed, since a cut one could be another's.</summary>
    public static string? Fingerprint(this Payload payload) =>
        payload.Line(AlertLimits.Fingerprint + 1) is not { } text ? null
        : text.Length <= AlertLimits.Fingerprint ? text
        : AlertFingerprint.Of([payload.Text(AlertLimits.Body) ?? text]);
}
