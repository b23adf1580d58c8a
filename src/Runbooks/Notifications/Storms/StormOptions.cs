using System.ComponentModel.DataAnnotations;

namespace Runbooks.Notifications.Storms;

/// <summary>When so much breaks at once that people get one message about all of it instead of one each.</summary>
public sealed class StormOptions
{
    public const string SectionName = "Storms";

    /// <summary>More incidents of one runbook than this within <see cref="Within"/> are a storm.</summary>
    [Range(1, 10_000)]
    public int MoreThan { get; set; } = 50;

    /// <summary>How close together incidents open in a storm.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan Within { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a message waits for more incidents to join it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan Gather { get; set; } = TimeSpan.FromSeconds(15);
}
