using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Runbooks.Storage;

/// <summary>
/// A place in a listing, newest first: the time an incident was opened and, among those of the same moment, whatever
/// tells them apart in the store. It names a place, not a count, so incidents that arrive meanwhile move nothing.
/// </summary>
public sealed record IncidentCursor(DateTimeOffset OpenedAt, string Tie)
{
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{OpenedAt.UtcTicks}:{Tie}")));

    /// <exception cref="FormatException">The text is no cursor of ours.</exception>
    public static IncidentCursor Parse(string cursor)
    {
        if (cursor.Length <= 1_000 && Base64Url.IsValid(cursor)
            && Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split(':', 2) is [var ticks, var tie]
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTimeOffset.MaxValue.UtcTicks)
        {
            return new(new DateTimeOffset(at, TimeSpan.Zero), tie);
        }

        throw new FormatException("'after' is not a cursor. Pass the 'next' of the page before, or leave it out.");
    }
}
