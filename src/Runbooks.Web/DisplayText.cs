namespace Runbooks.Web;

internal static class DisplayText
{
    /// <summary>How far away a moment is: "in 14 min", "3 min ago".</summary>
    public static string Relative(DateTimeOffset at, DateTimeOffset now)
    {
        var distance = (at - now).Duration();
        var amount = distance switch
        {
            { TotalSeconds: < 5 } => null,
            { TotalSeconds: < 60 } => $"{(int)distance.TotalSeconds} s",
            { TotalMinutes: < 60 } => $"{(int)distance.TotalMinutes} min",
            { TotalHours: < 48 } => $"{(int)distance.TotalHours} h {distance.Minutes} min",
            _ => $"{(int)distance.TotalDays} days",
        };
        return amount is null ? "now" : at > now ? $"in {amount}" : $"{amount} ago";
    }

    /// <returns>Null where the link is not one that a browser may be sent to.</returns>
    public static string? SafeLink(string? link) =>
        Uri.TryCreate(link, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri.AbsoluteUri : null;
}
