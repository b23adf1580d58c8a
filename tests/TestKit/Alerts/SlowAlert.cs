using Runbooks.Model.Alerts;

namespace TestKit.Alerts;

/// <summary>The messages of one alert that comes and goes. Times are minutes.</summary>
public static class SlowAlert
{
    public static DateTimeOffset At(double minutes) => Some.Time.AddMinutes(minutes);

    public static Alert Message(double? startsAt, double? endsAt = null, bool resolved = false) => new()
    {
        Source = "alertmanager",
        Name = "Slow",
        Fingerprint = "slow",
        Status = resolved ? AlertStatus.Resolved : AlertStatus.Firing,
        StartsAt = startsAt is { } starts ? At(starts) : null,
        EndsAt = endsAt is { } ends ? At(ends) : null,
    };
}
