using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Runbooks.Model.Storage;

/// <summary>
/// A place in a listing, newest first: the time an incident was opened and, among those of the same moment, whatever
/// tells them apart in the store. It names a place, not a count, so incidents that arrive meanwhile move nothing.
/// </summary>
public sealed record IncidentCursor(DateTimeOffset OpenedAt, string Tie)
{
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{OpenedAt.UtcTicks}:{Tie}")));

    /// <exception cref="FormatException">The text is no cursor of ours.</exception>
    public static IncidentCursor Parse(string cursor) => TryParse(cursor) ?? throw new FormatException("The text is no cursor of ours.");

    /// <returns>Null when the text is no cursor of ours.</returns>
    public static IncidentCursor? TryParse(string cursor) =>
        cursor.Length <= 1_000 && Base64Url.IsValid(cursor)
            && Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split(':', 2) is [var ticks, var tie]
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTimeOffset.MaxValue.UtcTicks
                ? new(new DateTimeOffset(at, TimeSpan.Zero), tie)
                : null;
}
