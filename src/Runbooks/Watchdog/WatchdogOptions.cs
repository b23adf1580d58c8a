using System.ComponentModel.DataAnnotations;

namespace Runbooks.Watchdog;

/// <summary>When the watchdog pages, and how long closed incidents are kept.</summary>
public sealed class WatchdogOptions
{
    public const string SectionName = "Watch";

    /// <summary>An incident that has made no progress for this long, beyond what its own step may take, pages.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan StuckAfter { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>What should have happened at once (a start, a wake-up, a message) is given this long.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>An incident that has not changed is checked again after this long; every check costs reads.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan CalmFor { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Closed incidents, their evidence and their history are removed after this long.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00")]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(90);
}
