using System.ComponentModel.DataAnnotations;

namespace Runbooks.Digest;

/// <summary>Section <c>Digest</c>: the week in one message, to each owner of runbooks.</summary>
public sealed class DigestOptions
{
    public const string SectionName = "Digest";

    /// <summary>The day on which it is sent, such as <c>Monday</c>; no digest without one.</summary>
    public DayOfWeek? On { get; set; }

    /// <summary>The hour of that day, in UTC.</summary>
    [Range(0, 23)]
    public int Hour { get; set; } = 7;
}
