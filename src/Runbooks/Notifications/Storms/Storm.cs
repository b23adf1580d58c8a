using System.Globalization;

namespace Runbooks.Notifications.Storms;

/// <summary>One runbook's storm.</summary>
/// <param name="Since">Incidents that opened at this time or later belong to it.</param>
/// <param name="LastJoined">When the latest was known to join, to within <see cref="Coarse"/>.</param>
/// <param name="SendingUntil">A message is being sent by somebody, who has until then; null when nobody is at it.</param>
public sealed record Storm(string RunbookId, DateTimeOffset Since, DateTimeOffset LastJoined, DateTimeOffset? SendingUntil = null)
{
    /// <summary>Two hundred incidents that join within a second need not write two hundred times.</summary>
    private static readonly TimeSpan Coarse = TimeSpan.FromSeconds(10);

    /// <summary>A sender that has not come back by then has died.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMinutes(3);

    /// <summary>Stands where an incident's id would: channels that join messages into threads join a storm's.</summary>
    public string Id => string.Create(CultureInfo.InvariantCulture, $"storm-{RunbookId}-{Since.UtcDateTime:yyMMdd-HHmmss}");

    public Storm Join(DateTimeOffset now) => now - LastJoined < Coarse ? this : this with { LastJoined = now };

    /// <returns>Null while somebody else sends.</returns>
    public Storm? TakeTurn(DateTimeOffset now) => SendingUntil > now ? null : this with { SendingUntil = now + LongestTurn };
}
