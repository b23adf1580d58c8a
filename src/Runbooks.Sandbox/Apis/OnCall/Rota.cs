namespace Runbooks.Sandbox.Apis.OnCall;

/// <summary>Who is on call in the sandbox: Ada from 08:00 to 20:00 UTC, Grace through the night.</summary>
internal static class Rota
{
    public const string Token = "practice";

    /// <summary>The schedule that they are on, in PagerDuty and in Grafana OnCall.</summary>
    public const string PagerDutyId = "PI7DH85", GrafanaId = "SBM7DV7BKFUYU";

    /// <summary>One that no escalation policy uses.</summary>
    public const string PagerDutyUnusedId = "PUNUSED";

    /// <summary>One on which nobody is.</summary>
    public const string PagerDutyEmptyId = "PEMPTY1", GrafanaEmptyId = "SEMPTYSCHEDUL";

    public static IReadOnlyList<RotaPerson> People { get; } =
    [
        new("PADA001", "UADA000000001", "ada", "Ada Lovelace", "ada@example.com"),
        new("PGRACE1", "UGRACE0000001", "grace", "Grace Hopper", "grace@example.com"),
    ];

    public static (RotaPerson Person, DateTimeOffset Start, DateTimeOffset End) At(DateTimeOffset now)
    {
        var day = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        return now.UtcDateTime.Hour switch
        {
            < 8 => (People[1], day.AddHours(-4), day.AddHours(8)),
            < 20 => (People[0], day.AddHours(8), day.AddHours(20)),
            _ => (People[1], day.AddHours(20), day.AddHours(32)),
        };
    }
}

internal sealed record RotaPerson(string PagerDutyId, string GrafanaId, string UserName, string Name, string Mail);
